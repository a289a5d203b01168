namespace Coordination;

/// <summary>A partition that this node leads.</summary>
public sealed record LedPartition
{
    /// <summary>The name of the partition.</summary>
    public required string Partition { get; init; }

    /// <summary>The name of its lock.</summary>
    public required string LockName { get; init; }

    /// <summary>The fencing token of the term.</summary>
    public required long FencingToken { get; init; }
}
