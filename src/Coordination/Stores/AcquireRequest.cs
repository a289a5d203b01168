namespace Coordination.Stores;

/// <summary>A request for a lock.</summary>
/// <param name="LockName">The lock, by a name that was checked.</param>
/// <param name="Owner">Who wants it.</param>
/// <param name="Entry">Tells this acquisition from others of the same owner; a repeated request carries the same one.</param>
/// <param name="LeaseDuration">How long the grant lasts with no renewal.</param>
/// <param name="Wait">Whether to join the queue when the lock is not free.</param>
/// <param name="ClaimWindow">How long a lock that is passed to a waiter by this request stays passed without being claimed.</param>
/// <param name="AllowBarging">Whether to take a lock that is free although others wait for it.</param>
/// <param name="Occurrence">The scheduled time that the lock is wanted for, which is run at most once; null for none.</param>
public sealed record AcquireRequest(
    string LockName, LockOwner Owner, long Entry, TimeSpan LeaseDuration, bool Wait, TimeSpan ClaimWindow, bool AllowBarging = false, Occurrence? Occurrence = null);
