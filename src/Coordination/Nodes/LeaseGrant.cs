namespace Coordination.Nodes;

/// <summary>What a store granted to this node, and how it was asked for.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Owner">To whom.</param>
/// <param name="Entry">By which entry of the owner.</param>
/// <param name="FencingToken">With which token.</param>
/// <param name="Timings">How long it lasts.</param>
/// <param name="Options">How it differs from the node's other leases; null for not at all.</param>
/// <param name="Share">What it is of a lock that several may hold at a time; null for an exclusive lock.</param>
/// <param name="Permit">The number of the permit; null for a lock that is no semaphore.</param>
internal sealed record LeaseGrant(
    string LockName, LockOwner Owner, long Entry, long FencingToken, LeaseTimings Timings, LockOptions? Options, LockShare? Share = null, int? Permit = null);
