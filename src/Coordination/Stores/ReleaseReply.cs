namespace Coordination.Stores;

/// <summary>The store's reply to a <see cref="ReleaseRequest"/>.</summary>
public sealed record ReleaseReply
{
    /// <summary>A lock that is free, that passed to the next waiter, or that is granted to nobody for the rest of <see cref="ReleaseRequest.LockAtLeastFor"/>.</summary>
    public static ReleaseReply Released { get; } = new() { Outcome = ReleaseOutcome.Released };

    /// <summary>A lock that the owner holds still.</summary>
    public static ReleaseReply StillHeldByOwner { get; } = new() { Outcome = ReleaseOutcome.StillHeldByOwner };

    /// <summary>A lock that the owner does not hold.</summary>
    public static ReleaseReply NotHeld { get; } = new() { Outcome = ReleaseOutcome.NotHeld };

    /// <summary>What became of the lock.</summary>
    public required ReleaseOutcome Outcome { get; init; }

    /// <summary>The waiter of the releasing node that has the lock now, where <see cref="ReleaseRequest.TakesHandover"/> asked for it.</summary>
    /// <value>Null, the default, when the lock passed to nobody, or to who is told by a notification.</value>
    public LockOwner? NextOwner { get; init; }

    /// <summary>How that waiter has it. It needs no claim: it lasts for the claim window, and is renewed like any lease.</summary>
    /// <value>Null, the default, where there is no <see cref="NextOwner"/>.</value>
    public LockHandover? Handover { get; init; }
}
