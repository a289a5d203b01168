using System.Runtime.CompilerServices;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Polly;

namespace Coordination.Resilience;

/// <summary>
/// The one way to the store: each call goes through a pipeline, each attempt waits at the gate while its shard of the store is away and has a time limit, and
/// what comes of it is told to the gate and to who reports on the store.
/// </summary>
internal sealed class StoreClient(
    ILockStore store, ILockStoreAdministration administration, StorePipelines pipelines, StoreGate gate, StoreCondition condition, TimeProvider time)
{
    private readonly CallLimits _limits = new(time);

    /// <summary>The reply to a renewal of nothing, for which the store is not asked.</summary>
    private static readonly Task<IReadOnlyList<RenewalReply>> NothingToRenew = Task.FromResult<IReadOnlyList<RenewalReply>>([]);

    /// <inheritdoc cref="ILockStore.Name"/>
    public string Name => store.Name;

    /// <inheritdoc cref="ILockStore.PartitionOf"/>
    public int PartitionOf(string lockName) => store.PartitionOf(lockName);

    /// <summary>Why a lock cannot be asked for now, as far as is known without asking: its shard of the store is away.</summary>
    public LockStoreException? FindFailure(string lockName) => gate.IsOpen ? null : gate.FindFailure(store.ShardOf(lockName));

    /// <inheritdoc cref="StoreGate.LetPass"/>
    public TimeSpan LetPass() => gate.LetPass();

    /// <summary>Asks for a lock.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="patience">How long each attempt waits while the store is away; may be infinite. Who tries once waits for a turn as long as for a reply.</param>
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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TimedReply<TReply>> CallAsync<TStore, TRequest, TReply>(
        TStore asked,
        StorePipeline pipeline,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        CallPlan plan,
        CancellationToken cancellationToken)
    {
        LockStoreException? failure = null;
        try
        {
            var reply = default(TimedReply<TReply>);
            if (pipeline.OnlyRetries)
            {
                try
                {
                    reply = await AttemptAsync(asked, 1, request, operation, plan, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext);
                }
                catch (LockStoreException e) when (e.IsTransient && !(plan.EndsAt <= time.Uptime))
                {
                    // For the pipeline to retry, below.
                    failure = e;
                }
            }

            if (failure is not null || !pipeline.OnlyRetries)
            {
                plan = Counted(plan, failure);
                reply = await RunPipelineAsync(asked, pipeline.Pipeline, failure, request, operation, plan, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext);
            }

            return reply.Away is null ? reply : throw reply.Away;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // With the caller's token, and not with one that a pipeline or a store links to it.
            throw new OperationCanceledException(cancellationToken);
        }
        catch (LockStoreException e) when (!e.MayBeApplied && plan.Sending is { MayBeApplied: true })
        {
            // The last attempt was not sent, but one before it was.
            throw new LockStoreException(e.Message, e.IsTransient, e.InnerException);
        }
        catch (Exception e) when (e is not LockStoreException && !IsLacking<TStore>(e))
        {
            // A pipeline of the user's, or the store, gave up in a way of its own: a time limit, an open circuit. Whether the call was
            // applied is unknown, which is what a transient failure means to everything above.
            var mayBeApplied = plan.Sending is not { MayBeApplied: false };
            failure = GivenUp(e, mayBeApplied);
            if (mayBeApplied)
            {
                Failed(plan, time.Uptime, failure);
            }

            throw failure;
        }
    }

    /// <param name="asked">The store, or its administration.</param>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="first">How the first attempt failed, when it was made already: it counts as the pipeline's own.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="operation">How it is asked.</param>
    /// <param name="plan">How the call is made.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    private async ValueTask<TimedReply<TReply>> RunPipelineAsync<TStore, TRequest, TReply>(
        TStore asked,
        ResiliencePipeline pipeline,
        LockStoreException? first,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        CallPlan plan,
        CancellationToken cancellationToken)
    {
        var attempts = 0;
        var context = ResilienceContextPool.Shared.Get(plan.ContinueOnCapturedContext, cancellationToken);
        try
        {
            return await pipeline.ExecuteAsync(
                context => ++attempts == 1 && first is not null
                    ? ValueTask.FromException<TimedReply<TReply>>(first)
                    : AttemptAsync(asked, attempts, request, operation, plan with { ContinueOnCapturedContext = context.ContinueOnCapturedContext }, context.CancellationToken),
                context).ConfigureAwait(plan.ContinueOnCapturedContext);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TimedReply<TReply>> AttemptAsync<TStore, TRequest, TReply>(
        TStore asked,
        int attempt,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        CallPlan plan,
        CancellationToken cancellationToken)
    {
        if (!gate.IsOpen && plan.LockName is { } lockName)
        {
            plan = plan with { Shard = store.ShardOf(lockName) };
            if (await EnterAsync(plan, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext) is { } away)
            {
                return new TimedReply<TReply>(default!, time.Reading, attempt) { Away = away };
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        var sent = time.Reading;
        var sentAt = sent.Uptime;
        var limit = plan.Limit;
        if (plan.EndsAt is { } end && end - sentAt < limit)
        {
            limit = end > sentAt ? end - sentAt : throw TimeIsUp();
        }

        plan.Sending?.Begin();
        var cancellation = AttemptCancellation.Begin(cancellationToken);
        var isDone = false;
        try
        {
            var replying = Ask(asked, request, operation, plan, cancellation.Token);
            var reply = await _limits.WithinAsync(replying, limit, plan.ContinueOnCapturedContext, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext);
            isDone = true;
            Succeeded(plan, sentAt, isAsked: !ReferenceEquals(replying, NothingToRenew));
            return new TimedReply<TReply>(reply, sent, attempt);
        }
        catch (TimeoutException e)
        {
            // A call that hangs: no reply and no error. If it was sent it may be applied later, and nothing here counts on either.
            var failure = new LockStoreException($"The store '{store.Name}' did not reply within {limit.TotalMilliseconds:F0} ms.", isTransient: true, e);
            Failed(plan, sentAt, failure);
            throw failure;
        }
        catch (LockStoreException e)
        {
            isDone = true;
            if (!e.MayBeApplied)
            {
                plan.Sending?.Fail();
            }

            Failed(plan, sentAt, e);
            throw;
        }
        finally
        {
            cancellation.End(isDone);
        }
    }

    /// <summary>
    /// Begins a call; where it is not to go on on the caller's synchronization context, without that one, for a store captures what it finds: the
    /// watchdog's, which it needs, or an application's, which may wait for this very call.
    /// </summary>
    private static Task<TReply> Ask<TStore, TRequest, TReply>(
        TStore asked, TRequest request, Func<TStore, TRequest, CancellationToken, Task<TReply>> operation, CallPlan plan, CancellationToken cancellationToken)
    {
        if (plan.ContinueOnCapturedContext || SynchronizationContext.Current is not { } context)
        {
            return operation(asked, request, cancellationToken);
        }

        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return operation(asked, request, cancellationToken);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Waits at the gate.</summary>
    /// <returns>Null when the call may be sent; else how the last one failed, for its time is up: nothing was sent, and there is nothing to undo.</returns>
    private async ValueTask<LockStoreException?> EnterAsync(CallPlan plan, CancellationToken cancellationToken)
    {
        var now = time.Uptime;
        var limit = plan.EndsAt is { } end ? (end > now ? end - now : throw TimeIsUp()) : plan.Patience;
        return await gate.EnterAsync(plan.Shard!.Value, plan, limit, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext) is { } error
            ? new LockStoreException(error.Message, isTransient: true, error.InnerException) { MayBeApplied = false }
            : null;
    }

    private void Succeeded(CallPlan plan, TimeSpan sentAt, bool isAsked)
    {
        if (plan.LockName is not { } lockName)
        {
            return;
        }

        if (gate.IsOpen && condition.IsClear)
        {
            // Which shard it was does not matter, and may be dear to know.
            condition.Succeeded(sentAt);
        }
        else if (isAsked)
        {
            var shard = store.ShardOf(lockName);
            condition.Succeeded(plan.Call, sentAt, shard, lockName);
            gate.Replied(plan.Shard ?? shard, plan.Call, sentAt);
        }
        else if (plan.Shard is not null)
        {
            gate.PassOn();
        }
    }

    private void Failed(CallPlan plan, TimeSpan sentAt, LockStoreException error)
    {
        if (plan.LockName is not { } lockName)
        {
            return;
        }

        var shard = store.ShardOf(lockName);
        condition.Failed(plan.Call, shard, lockName, error);
        if (error.IsTransient)
        {
            gate.Failed(plan.Shard ?? shard, plan.Call, sentAt, error);
        }
        else
        {
            gate.Replied(plan.Shard ?? shard, plan.Call, sentAt);
        }
    }

    /// <summary>Counts the sends from here on, where nobody has until now.</summary>
    private static CallPlan Counted(CallPlan plan, LockStoreException? first)
    {
        if (plan.Sending is not null)
        {
            return plan;
        }

        var sending = new Sending();
        if (first is { MayBeApplied: true })
        {
            sending.Begin();
        }

        return plan with { Sending = sending };
    }

    private LockStoreException TimeIsUp() => new($"The time for the call to the store '{store.Name}' is up.");

    /// <remarks>Without the message of what was thrown, which is not known to hold no secret.</remarks>
    private LockStoreException GivenUp(Exception error, bool mayBeApplied) =>
        new($"The call to the store '{store.Name}' was given up: {error.GetType().Name}.", isTransient: true, error) { MayBeApplied = mayBeApplied };

    /// <summary>Whether what was asked says that it has no such operation, which an administration may.</summary>
    private static bool IsLacking<TStore>(Exception exception) => exception is NotSupportedException && typeof(TStore) == typeof(ILockStoreAdministration);
}
