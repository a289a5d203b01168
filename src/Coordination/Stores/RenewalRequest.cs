namespace Coordination.Stores;

/// <summary>A request to extend one lock.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Owner">Who holds it.</param>
/// <param name="LeaseDuration">How long the lock is to last from now on with no further renewal.</param>
/// <param name="FencingToken">
/// The token of the grant, for the same owner may have been granted the lock anew; null for whichever grant of the owner it is.
/// </param>
public readonly record struct RenewalRequest(string LockName, LockOwner Owner, TimeSpan LeaseDuration, long? FencingToken = null);
