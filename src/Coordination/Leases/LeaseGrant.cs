namespace Coordination.Leases;

/// <summary>What the store granted.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Owner">To whom.</param>
/// <param name="Entry">By which entry of the owner.</param>
/// <param name="FencingToken">With which token.</param>
internal sealed record LeaseGrant(string LockName, LockOwner Owner, long Entry, long FencingToken);
