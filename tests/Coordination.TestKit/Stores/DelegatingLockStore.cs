using System.Data.Common;
using Coordination.Stores;

namespace Coordination.TestKit.Stores;

/// <summary>Passes every call on to another store, but for what a test changes.</summary>
public abstract class DelegatingLockStore(ILockStore inner) : ILockStore, ILockStoreAdministration, ITransactionalFence
{
    public string Name => inner.Name;

    public virtual bool KeepsShares => inner.KeepsShares;

    private ILockStoreAdministration Administration => (ILockStoreAdministration)inner;

    private ITransactionalFence Fence => inner as ITransactionalFence ?? throw new NotSupportedException($"The store '{inner.Name}' cannot guard a transaction.");

    public virtual int PartitionOf(string lockName) => inner.PartitionOf(lockName);

    public virtual int ShardOf(string lockName) => inner.ShardOf(lockName);

    public virtual Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        CallAsync(() => inner.AcquireAsync(request, cancellationToken));

    public virtual Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
        CallAsync(() => inner.TryAcquireAllAsync(requests, cancellationToken));

    public virtual Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        CallAsync(() => inner.RenewAsync(requests, cancellationToken));

    public virtual Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        CallAsync(() => inner.ReleaseAsync(request, cancellationToken));

    public virtual Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        CallAsync(() => inner.SubscribeAsync(nodeId, handler, cancellationToken));

    public virtual Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.GetHolderAsync(lockName, cancellationToken));

    public virtual Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.InspectAsync(lockName, maxWaiters, cancellationToken));

    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.ListAsync(cursor, cancellationToken));

    public Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.RevokeAsync(lockName, fencingToken, claimWindow, cancellationToken));

    public virtual Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.AskToStepDownAsync(lockName, fencingToken, request, cancellationToken));

    public Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken) =>
        CallAsync(() => Administration.ForgetOccurrenceAsync(lockName, series, cancellationToken));

    public virtual Task PingAsync(CancellationToken cancellationToken) => CallAsync(async () =>
    {
        await Administration.PingAsync(cancellationToken);
        return true;
    });

    public virtual void Accept(DbTransaction transaction) => Fence.Accept(transaction);

    public virtual Task RefuseAsync(DbTransaction transaction) => Fence.RefuseAsync(transaction);

    public virtual Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken) =>
        CallAsync(() => Fence.PrepareGuardAsync(request, cancellationToken));

    public virtual Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken) =>
        CallAsync(() => Fence.GuardAsync(request, transaction, cancellationToken));

    /// <summary>The way of every call that the test does not replace.</summary>
    protected virtual Task<T> CallAsync<T>(Func<Task<T>> ask) => ask();
}
