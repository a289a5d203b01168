namespace Coordination.Hosting.Partitions;

/// <summary>What a node knows of the names of the partitions.</summary>
/// <param name="IsKnown">Whether there was a list once.</param>
/// <param name="Failure">The type of what was thrown the last time that they were asked for; null where there was a list.</param>
/// <param name="LeftOut">What is left out of the last list; null for nothing.</param>
internal sealed record PartitionNaming(bool IsKnown, string? Failure, NamesLeftOut? LeftOut)
{
    public static readonly PartitionNaming None = new(IsKnown: false, Failure: null, LeftOut: null);
}
