using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;

namespace Coordination.Resilience;

/// <summary>
/// The one way to the store: each call goes through a pipeline, each attempt waits at the gate while its shard of the store is away and has a time limit, and
/// what comes of it is told to the gate and to who reports on the store.
/// </summary>
internal sealed partial class StoreClient(
    ILockStore store, ILockStoreAdministration administration, StorePipelines pipelines, StoreGate gate, StoreCondition condition, TimeProvider time)
{
    private readonly CallLimits _limits = new(time);

    /// <summary>The reply to a renewal of nothing, for which the store is not asked.</summary>
    private static readonly Task<IReadOnlyList<RenewalReply>> NothingToRenew = Task.FromResult<IReadOnlyList<RenewalReply>>([]);

    /// <summary>How long a call that tries once goes on when it knows that the store is away: for a turn at the gate, and the last part of it for a reply.</summary>
    private static readonly TimeSpan TryWhileAway = 4 * StoreGate.Pace;

    /// <inheritdoc cref="ILockStore.Name"/>
    public string Name => store.Name;

    /// <inheritdoc cref="ILockStore.KeepsShares"/>
    public bool KeepsShares => store.KeepsShares;

    /// <summary>What guards transactions.</summary>
    /// <exception cref="NotSupportedException">The store does not.</exception>
    public ITransactionalFence Fence => store as ITransactionalFence ?? throw new NotSupportedException(
        $"The store '{store.Name}' cannot guard a transaction: its locks are in no database that transactions are on, or {store.GetType()} does not implement {nameof(ITransactionalFence)}. "
        + $"Use a store that can, such as PostgreSQL's, or have the resource refuse a {nameof(ILease.FencingToken)} that is lower than one it has seen.");

    /// <inheritdoc cref="ILockStore.PartitionOf"/>
    public int PartitionOf(string lockName) => store.PartitionOf(lockName);

    /// <summary>Why a lock cannot be asked for now, as far as is known without asking: its shard of the store is away.</summary>
    public LockStoreException? FindFailure(string lockName) =>
        !gate.IsOpen && gate.FindFailure(store.ShardOf(lockName)) is { } known ? Away(StoreCall.Acquisition, lockName, known) : null;

    /// <inheritdoc cref="StoreGate.LetPass"/>
    public TimeSpan LetPass() => gate.LetPass();

    /// <summary>Tries once to acquire a lock: for the time of one attempt at most, with what is repeated, and for a second where it is known that the store is away.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="sending">Tells whether the store may have applied the request, also when this throws, and what of it goes on then.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<TimedReply<AcquireReply>> TryAcquireAsync(AcquireRequest request, TimeSpan limit, Sending sending, CancellationToken cancellationToken) =>
        CallAsync(store, pipelines.Acquisition, request, static (store, request, token) => store.AcquireAsync(request, token), PlanOfTry(request.LockName, limit, sending), cancellationToken);

    /// <summary>Asks for a lock.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="patience">How long each attempt waits while the store is away; may be infinite.</param>
    /// <param name="sending">Tells whether the store may have applied the request, also when this throws. Null where nobody asks.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<TimedReply<AcquireReply>> AcquireAsync(AcquireRequest request, TimeSpan limit, TimeSpan patience, Sending? sending, CancellationToken cancellationToken) =>
        CallAsync(
            store,
            pipelines.Acquisition,
            request,
            static (store, request, token) => store.AcquireAsync(request, token),
            new CallPlan(StoreCall.Acquisition, request.LockName, limit) { Patience = patience, Sending = sending },
            cancellationToken);

    /// <summary>Releases a lock. A caller's cancellation does not reach it.</summary>
    /// <param name="request">What to release.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="endsAt">The moment when the last attempt ends.</param>
    /// <param name="dropped">Ends it where nobody counts on it any more.</param>
    public ValueTask<TimedReply<ReleaseReply>> ReleaseAsync(ReleaseRequest request, TimeSpan limit, TimeSpan endsAt, CancellationToken dropped = default) =>
        CallAsync(
            store,
            pipelines.Renewal,
            request,
            static (store, request, token) => store.ReleaseAsync(request, token),
            new CallPlan(StoreCall.Release, request.LockName, limit) { EndsAt = endsAt },
            dropped);

    /// <summary>Renews leases.</summary>
    /// <param name="lockName">One of the locks, which are of one partition.</param>
    /// <param name="requests">Asked anew before each attempt, so that a lease that ended meanwhile is left out.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="continueOnCapturedContext">
    /// Whether to stay on the caller's synchronization context throughout. That of the watchdog does not wait for the pool; that of an application
    /// may wait for this very call.
    /// </param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<TimedReply<IReadOnlyList<RenewalReply>>> RenewAsync(
        string lockName, Func<IReadOnlyList<RenewalRequest>> requests, TimeSpan limit, bool continueOnCapturedContext, CancellationToken cancellationToken) =>
        CallAsync(
            store,
            pipelines.Renewal,
            requests,
            static (store, requests, token) => requests() is { Count: > 0 } batch ? store.RenewAsync(batch, token) : NothingToRenew,
            new CallPlan(StoreCall.Renewal, lockName, limit) { Patience = Timeout.InfiniteTimeSpan, ContinueOnCapturedContext = continueOnCapturedContext },
            cancellationToken);

    public ValueTask<TimedReply<LockInspection>> InspectAsync(string lockName, int maxWaiters, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            administration,
            pipelines.Acquisition,
            (lockName, maxWaiters),
            static (store, ask, token) => store.InspectAsync(ask.lockName, ask.maxWaiters, token),
            new CallPlan(StoreCall.Question, LockName: null, limit),
            cancellationToken);

    public ValueTask<TimedReply<LockPage>> ListAsync(string? cursor, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            administration,
            pipelines.Acquisition,
            cursor,
            static (store, cursor, token) => store.ListAsync(cursor, token),
            new CallPlan(StoreCall.Question, LockName: null, limit),
            cancellationToken);

    public ValueTask<TimedReply<bool>> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            administration,
            pipelines.Renewal,
            (lockName, fencingToken, claimWindow),
            static (store, ask, token) => store.RevokeAsync(ask.lockName, ask.fencingToken, ask.claimWindow, token),
            new CallPlan(StoreCall.Question, LockName: null, limit),
            cancellationToken);

    public ValueTask<TimedReply<bool>> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            administration,
            pipelines.Renewal,
            (lockName, fencingToken, request),
            static (store, ask, token) => store.AskToStepDownAsync(ask.lockName, ask.fencingToken, ask.request, token),
            new CallPlan(StoreCall.Question, LockName: null, limit),
            cancellationToken);

    public ValueTask<TimedReply<bool>> ForgetOccurrenceAsync(string lockName, string series, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            administration,
            pipelines.Renewal,
            (lockName, series),
            static (store, ask, token) => store.ForgetOccurrenceAsync(ask.lockName, ask.series, token),
            new CallPlan(StoreCall.Question, LockName: null, limit),
            cancellationToken);

    /// <summary>Subscribes once, with no limit: a subscription that comes late is kept all the same.</summary>
    /// <exception cref="LockStoreException">Whatever the store threw.</exception>
    public async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler)
    {
        try
        {
            return await Ask(
                store,
                (nodeId, handler),
                static (store, ask, token) => store.SubscribeAsync(ask.nodeId, ask.handler, token),
                new CallPlan(StoreCall.Question, LockName: null, Timeout.InfiniteTimeSpan),
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not LockStoreException)
        {
            throw GivenUp(e, mayBeApplied: true);
        }
    }

    private CallPlan PlanOfTry(string lockName, TimeSpan limit, Sending sending)
    {
        var now = time.Uptime;
        return new CallPlan(StoreCall.Acquisition, lockName, limit)
        {
            EndsAt = now + Max(limit, TryWhileAway),
            LeavesAt = !gate.IsOpen && gate.FindFailure(store.ShardOf(lockName)) is not null ? now + TryWhileAway : null,
            IsTry = true,
            Sending = sending,
        };
    }
}
