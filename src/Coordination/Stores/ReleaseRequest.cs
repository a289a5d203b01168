namespace Coordination.Stores;

/// <summary>A request to give back one entry of a lock and to leave its queue.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Owner">Who held it or waited for it.</param>
/// <param name="Entry">The entry of the acquisition.</param>
/// <param name="ClaimWindow">How long the lock stays passed to the next waiter without being claimed.</param>
public sealed record ReleaseRequest(string LockName, LockOwner Owner, long Entry, TimeSpan ClaimWindow);
