namespace Coordination;

/// <summary>A node that takes part in a <see cref="PartitionedBackgroundService"/>.</summary>
public sealed record PartitionMember
{
    /// <summary>The id of the node.</summary>
    public required string NodeId { get; init; }

    /// <summary>Since when it takes part, on the store's clock; or since it said last that it stays away from a partition, or not any more.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>How many partitions it leads at most: its <see cref="PartitionedServiceOptions.MaxPerNode"/>, less those whose work hangs there after their leases were lost.</summary>
    /// <value>Null, the default, for any number.</value>
    public int? MaxPartitions { get; init; }

    /// <summary>Which partitions it stays away from for now, as its note says them; null for none.</summary>
    internal string? Away { get; init; }
}
