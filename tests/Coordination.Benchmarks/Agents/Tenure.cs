namespace Coordination.Benchmarks.Agents;

/// <summary>One term of a node in a partition, as the node's work noted it.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Token">The fencing token.</param>
/// <param name="Begin">When the work began, by the clock of all processes of a machine.</param>
internal sealed record Tenure(string Partition, long Token, long Begin)
{
    /// <summary>When the work returned, or its process was dead; the end of time while it runs.</summary>
    public long End { get; set; } = long.MaxValue;
}
