using Coordination.Stores;

namespace Coordination.TestKit.Stores;

/// <summary>Requests as tests make them: of an owner's first entry, and with nothing out of the ordinary unless it is asked for.</summary>
public static class Requests
{
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

    public static RenewalRequest Renew(string lockName, LockOwner owner, TimeSpan leaseDuration, long? fencingToken = null) =>
        new() { LockName = lockName, Owner = owner, LeaseDuration = leaseDuration, FencingToken = fencingToken };
}
