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
    public bool CanPass(string partition, string nodeId)
    {
        PartitionMember[] members = [.. Members.Select(member => member.NodeId == nodeId ? member with { Away = AbsenceFilter.Parse(member.Away).With(PartitionHash.Of(partition)).ToString() } : member)];
        return PartitionAssignment.Create(members, Partitions).Find(partition) is { } other && !IsAwayFrom(partition, other, members);
    }

    /// <summary>Whether a node said that it stays away from a partition, and there is no other one for it: whose share it is stays away as well.</summary>
    public bool IsLeftTo(string nodeId, string partition) =>
        Assignment.Find(partition) is { } assigned && IsAwayFrom(partition, assigned, Members) && IsAwayFrom(partition, nodeId, Members);

    private static bool IsAwayFrom(string partition, string nodeId, IEnumerable<PartitionMember> members) =>
        members.Any(member => member.NodeId == nodeId && AbsenceFilter.Parse(member.Away).Contains(PartitionHash.Of(partition)));
}
