using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Tests.Resilience;

/// <summary>A store of as many shards as its locks have first letters, that fails calls by the lock that they are for.</summary>
internal sealed class PartlyAwayStore(ILockStore inner) : DelegatingLockStore(inner)
{
    private int _asked;

    /// <summary>How calls for a lock fail; null for not at all.</summary>
    public volatile Func<string, LockStoreException?> Fault = _ => null;

    /// <summary>How often it was asked.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public static LockStoreException Away => new("The connection is gone.", isTransient: true) { MayBeApplied = false };

    /// <summary>Whether it knows its shards; else all seems to be of one.</summary>
    public volatile bool KnowsShards = true;

    public override int PartitionOf(string lockName) => KnowsShards ? lockName[0] : 0;

    public override int ShardOf(string lockName) => PartitionOf(lockName);

    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        AskAsync(request.LockName, () => base.AcquireAsync(request, cancellationToken));

    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        AskAsync(request.LockName, () => base.ReleaseAsync(request, cancellationToken));

    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        AskAsync(requests[0].LockName, () => base.RenewAsync(requests, cancellationToken));

    public override Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken) =>
        AskAsync(lockName, () => base.InspectAsync(lockName, maxWaiters, cancellationToken));

    private Task<T> AskAsync<T>(string lockName, Func<Task<T>> ask)
    {
        Interlocked.Increment(ref _asked);
        return Fault(lockName) is { } fault ? Task.FromException<T>(fault) : ask();
    }
}
