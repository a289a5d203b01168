using Coordination.Stores;

namespace Coordination.Testing.Contracts;

/// <summary>Requests as tests of a store make them: of an owner's first entry, and with nothing out of the ordinary unless it is asked for.</summary>
public static class Requests
{
    /// <summary>Asks for a lock.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="owner">Who wants it.</param>
    /// <param name="leaseDuration">How long the grant lasts.</param>
    /// <param name="entry">Which acquisition of the owner it is.</param>
    /// <param name="wait">Whether to join the queue.</param>
    /// <param name="claimWindow">How long a lock that is passed on may lie unclaimed; null for as long as the lease.</param>
    /// <param name="allowBarging">Whether to overtake those who wait.</param>
    /// <param name="occurrence">What the lock is wanted for; null for none.</param>
    public static AcquireRequest Acquire(
        string lockName,
        LockOwner owner,
        TimeSpan leaseDuration,
        long entry = 1,
        bool wait = false,
        TimeSpan? claimWindow = null,
        bool allowBarging = false,
        Occurrence? occurrence = null) => new()
        {
            LockName = lockName,
            Owner = owner,
            Entry = entry,
            LeaseDuration = leaseDuration,
            ClaimWindow = claimWindow ?? leaseDuration,
            Wait = wait,
            AllowBarging = allowBarging,
            Occurrence = occurrence,
        };

    /// <summary>Releases a lock, or leaves its queue.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="owner">Who holds it or waits for it.</param>
    /// <param name="claimWindow">How long a lock that is passed on may lie unclaimed.</param>
    /// <param name="entry">Which acquisition of the owner it is.</param>
    /// <param name="allowBarging">Whether to leave the lock free instead of passing it on.</param>
    /// <param name="lockAtLeastFor">Until how long after its grant it is granted to nobody.</param>
    /// <param name="occurrence">What the lock was held for; null for none.</param>
    /// <param name="occurrenceIsFinished">Whether that was run to its end.</param>
    public static ReleaseRequest Release(
        string lockName,
        LockOwner owner,
        TimeSpan claimWindow,
        long entry = 1,
        bool allowBarging = false,
        TimeSpan lockAtLeastFor = default,
        Occurrence? occurrence = null,
        bool occurrenceIsFinished = true) => new()
        {
            LockName = lockName,
            Owner = owner,
            Entry = entry,
            ClaimWindow = claimWindow,
            AllowBarging = allowBarging,
            LockAtLeastFor = lockAtLeastFor,
            Occurrence = occurrence,
            OccurrenceIsFinished = occurrenceIsFinished,
        };

    /// <summary>Renews a lock.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="owner">Who holds it.</param>
    /// <param name="leaseDuration">How long it is to last from now on.</param>
    /// <param name="fencingToken">The token of the grant; null for whichever it is.</param>
    public static RenewalRequest Renew(string lockName, LockOwner owner, TimeSpan leaseDuration, long? fencingToken = null) =>
        new() { LockName = lockName, Owner = owner, LeaseDuration = leaseDuration, FencingToken = fencingToken };
}
