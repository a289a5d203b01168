namespace Coordination.Stores;

/// <summary>The store's answer to an <see cref="AcquireRequest"/>.</summary>
/// <param name="FencingToken">The token of the grant; null when the lock was not granted.</param>
/// <param name="Holder">Who holds the lock; null when it was granted, and when the occurrence was run already.</param>
/// <param name="WaitersBefore">How many waiters stand before the owner in the queue; zero when granted or not queued.</param>
/// <param name="Occurrence">What was found of the occurrence that was asked for.</param>
/// <param name="OccurrenceRun">The run that has or had the occurrence, where it is another.</param>
public sealed record AcquireReply(long? FencingToken, LockHolder? Holder, int WaitersBefore, OccurrenceStatus Occurrence = OccurrenceStatus.None, string? OccurrenceRun = null)
{
    /// <summary>Whether the lock is the owner's.</summary>
    public bool IsGranted => FencingToken is not null;
}
