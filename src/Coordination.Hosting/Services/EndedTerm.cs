namespace Coordination;

/// <summary>A term of this node that is over, and whose lock is released.</summary>
public sealed record EndedTerm
{
    /// <summary>The name of the lock.</summary>
    public required string LockName { get; init; }

    /// <summary>The number of the term.</summary>
    public required long FencingToken { get; init; }

    /// <summary>The number that it had as one of several leaders (<see cref="ExclusiveTerm.Instance"/>).</summary>
    /// <value>Zero, the default, where one node leads at a time.</value>
    public int Instance { get; init; }

    /// <summary>The partition that this node led in it, of a <see cref="PartitionedBackgroundService"/>.</summary>
    /// <value>Null, the default, for a service that has no partitions.</value>
    public string? Partition { get; init; }

    /// <summary>Why it ended.</summary>
    /// <value>One of those that end a term of this node, such as <see cref="LeadershipChangeCause.SteppedDown"/>.</value>
    public required LeadershipChangeCause Cause { get; init; }

    /// <summary>How long it lasted, its hooks included.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>What the release of the lock found: <see cref="ReleaseResult.NotHeld"/> after a loss, as a rule.</summary>
    public required ReleaseResult Release { get; init; }

    /// <summary>What the work, or the hook before it, threw.</summary>
    /// <value>Null, the default, for nothing, and for an <see cref="OperationCanceledException"/> after it was told to stop.</value>
    public Exception? Failure { get; init; }
}
