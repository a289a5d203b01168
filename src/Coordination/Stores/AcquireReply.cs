namespace Coordination.Stores;

/// <summary>The store's answer to an <see cref="AcquireRequest"/>.</summary>
/// <param name="FencingToken">The token of the grant; null when the lock was not granted.</param>
/// <param name="Holder">Who holds the lock; null when it was granted, and when the fire was run already.</param>
/// <param name="WaitersBefore">How many waiters stand before the owner in the queue; zero when granted or not queued.</param>
/// <param name="Fire">What was found of the fire that was asked for.</param>
/// <param name="FireRun">The run that has or had the fire, where it is another.</param>
public sealed record AcquireReply(long? FencingToken, LockHolder? Holder, int WaitersBefore, FireStatus Fire = FireStatus.None, string? FireRun = null)
{
    /// <summary>Whether the lock is the owner's.</summary>
    public bool IsGranted => FencingToken is not null;
}
