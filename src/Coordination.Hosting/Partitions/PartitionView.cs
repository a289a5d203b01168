namespace Coordination.Hosting.Partitions;

/// <summary>Who shares which partitions, as a node saw it at one moment.</summary>
/// <param name="Members">In the order of their ids.</param>
/// <param name="Partitions">Their names, each once.</param>
/// <param name="Assignment">Which node is to lead which.</param>
/// <param name="Share">How many are this node's.</param>
internal sealed record PartitionView(IReadOnlyList<PartitionMember> Members, IReadOnlySet<string> Partitions, PartitionAssignment Assignment, int Share)
{
    public static readonly PartitionView None = new([], new HashSet<string>(), PartitionAssignment.None, Share: 0);

    /// <summary>Whether another node would lead a partition if a node stayed away from it.</summary>
    public bool CanPass(string partition, string nodeId) =>
        PartitionAssignment.Create(
            Members.Select(member => member.NodeId == nodeId ? member with { Away = AbsenceFilter.Parse(member.Away).With(PartitionHash.Of(partition)).ToString() } : member),
            Partitions).Find(partition) is { } other && other != nodeId;

    /// <summary>Whether a partition is a node's share although that said that it stays away from it: there is no other one for it.</summary>
    public bool IsLeftTo(string nodeId, string partition) =>
        Assignment.Find(partition) == nodeId && Members.Any(member => member.NodeId == nodeId && AbsenceFilter.Parse(member.Away).Contains(PartitionHash.Of(partition)));
}
