namespace Coordination.Stores;

/// <summary>A request to release one entry of a lock and to leave its queue.</summary>
public sealed record ReleaseRequest
{
    /// <summary>The lock.</summary>
    /// <value>A name that was checked.</value>
    public required string LockName { get; init; }

    /// <summary>Who held it or waited for it.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>The entry of the acquisition.</summary>
    public required long Entry { get; init; }

    /// <summary>How long the grant lasts with no renewal, where its holder knows that it has not run out: the store takes its word for that.</summary>
    /// <value>Null, the default, where it may have run out, and for what was never held.</value>
    public TimeSpan? LeaseDuration { get; init; }

    /// <summary>How long the lock stays passed to the next waiter without being claimed.</summary>
    public required TimeSpan ClaimWindow { get; init; }

    /// <summary>Whether to leave the lock free and tell the first waiter, instead of passing it to that waiter.</summary>
    /// <value>False by default.</value>
    public bool AllowBarging { get; init; }

    /// <summary>
    /// Whether the reply may hand the lock over to a waiter of the same node, which is then not told by a notification: its node takes it from the reply.
    /// </summary>
    /// <value>False by default. A store that cannot do so tells the waiter as any other.</value>
    public bool TakesHandover { get; init; }

    /// <summary>Until how long after its grant the lock is granted to nobody, when this is its last entry.</summary>
    /// <value>Zero, the default, for not at all.</value>
    public TimeSpan LockAtLeastFor { get; init; }

    /// <summary>What was held or wanted of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock.</value>
    public LockShare? Share { get; init; }

    /// <summary>
    /// The node that the lock is to pass to: its first live waiter goes before those that came earlier, where there is one that the lock can pass to. Of no use with
    /// <see cref="AllowBarging"/>, and where the lock is kept for the rest of <see cref="LockAtLeastFor"/>.
    /// </summary>
    /// <value>A node's id. Null, the default, for the first in the queue.</value>
    public string? Successor { get; init; }

    /// <summary>What the entry said of itself when it was asked for: <see cref="AcquireRequest.Note"/>. A store may tell entries apart by it.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>The <see cref="AcquireRequest.Rank"/> of the entry, for the same.</summary>
    /// <value>Zero by default.</value>
    public long Rank { get; init; }

    /// <summary>The scheduled time that the lock was held for.</summary>
    /// <value>Null, the default, for none.</value>
    public Occurrence? Occurrence { get; init; }

    /// <summary>Whether that occurrence was run to its end; else another run may take it.</summary>
    /// <value>True by default.</value>
    public bool OccurrenceIsFinished { get; init; } = true;
}
