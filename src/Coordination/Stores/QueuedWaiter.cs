namespace Coordination.Stores;

/// <summary>A place in the queue of a lock: a part of <see cref="LockState"/>.</summary>
public sealed record QueuedWaiter
{
    /// <summary>Who waits.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>The entry that waits: an owner that gave up one wait and began another does not leave the queue by the end of the first.</summary>
    public required long Entry { get; init; }

    /// <summary>When it joined the queue.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Until when it counts as alive, unless it asks again; one that is dead is skipped.</summary>
    public required DateTimeOffset AliveUntil { get; init; }

    /// <summary>What it wants of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock.</value>
    public LockShare? Share { get; init; }

    /// <summary>What it says of itself: <see cref="AcquireRequest.Note"/>.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>The <see cref="AcquireRequest.Rank"/> of the wait.</summary>
    /// <value>Zero by default.</value>
    public long Rank { get; init; }

    internal bool IsAlive(DateTimeOffset now) => AliveUntil > now;

    internal LockWaiter Describe(DateTimeOffset now) => new()
    {
        Owner = Owner,
        WaitingFor = Since < now ? now - Since : TimeSpan.Zero,
        IsAlive = IsAlive(now),
        Share = Share,
        Note = Note,
        Rank = Rank,
    };
}
