namespace Coordination;

/// <summary>
/// What this node knows of a <see cref="PartitionedBackgroundService"/>: which partitions it leads, and which nodes share them. Safe for use by several threads; nothing here asks the store.
/// </summary>
/// <remarks>
/// Registered by <c>AddPartitionedBackgroundService</c>; under the name of the registration, where it has one, as <c>[FromKeyedServices("name")] IPartitionedLeadership</c>. Implemented by this library alone; members may be added.
/// </remarks>
public interface IPartitionedLeadership
{
    /// <summary>What the names of its locks begin with.</summary>
    string LockName { get; }

    /// <summary>The partitions that this node leads at this moment.</summary>
    /// <value>In the order of their names. Those whose lease is lost are not among them, also where their work has not returned yet.</value>
    IReadOnlyList<LedPartition> Led { get; }

    /// <summary>
    /// Whether this node takes part: by <see cref="PartitionedServiceOptions.CanLead"/>, or by <see cref="SetCanLead"/> where that was called, and not while the node is drained (<see cref="NodeDrain"/>).
    /// </summary>
    bool CanLead { get; }

    /// <summary>How many partitions are this node's share, as far as it knows: in the end it leads as many.</summary>
    /// <value>Zero before it has looked, and when it does not take part.</value>
    int Share { get; }

    /// <summary>How many partitions there are, as far as this node knows.</summary>
    int PartitionCount { get; }

    /// <summary>The nodes that share the partitions, as this node saw them last.</summary>
    /// <value>In the order of their ids. Empty before it has looked.</value>
    IReadOnlyList<PartitionMember> Members { get; }

    /// <summary>Whose share a partition is, as far as this node knows. That node leads it, or will as soon as the one before it has given it away.</summary>
    /// <param name="partition">The name of the partition.</param>
    /// <returns>The id of the node; null where nobody is to lead it, and for a name that is unknown.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="partition"/> is null.</exception>
    string? FindNode(string partition);

    /// <summary>
    /// Says at run time whether this node takes part. With false it is no member any more and begins no partition, and gives away those that it leads, one after the other: the work is told to stop and awaited,
    /// the lock passes to the node whose share the partition is now, and then comes the next one. With true it becomes a member again. Returns at once.
    /// </summary>
    /// <remarks>Work that does not return when it is told to keeps the partitions that come after it on this node for a minute; work whose lease was lost keeps none.</remarks>
    /// <param name="canLead">What counts from now on instead of the option; null for the option again.</param>
    void SetCanLead(bool? canLead);
}
