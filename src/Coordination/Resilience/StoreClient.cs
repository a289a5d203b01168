using System.Runtime.CompilerServices;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Polly;

namespace Coordination.Resilience;

/// <summary>
/// The one way to the store: each call goes through a pipeline, each attempt has a time limit, and outages are said as one.
/// </summary>
internal sealed class StoreClient(ILockStore store, ILockStoreAdministration administration, StorePipelines pipelines, OutageReporter outage, TimeProvider time)
{
    /// <inheritdoc cref="ILockStore.Name"/>
    public string Name => store.Name;

    /// <inheritdoc cref="ILockStore.PartitionOf"/>
    public int PartitionOf(string lockName) => store.PartitionOf(lockName);

    public ValueTask<TimedReply<AcquireReply>> AcquireAsync(AcquireRequest request, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(store, pipelines.Acquisition, request, static (store, request, token) => store.AcquireAsync(request, token), limit, false, cancellationToken);

    /// <summary>Releases a lock. A caller's cancellation does not reach it.</summary>
    /// <param name="request">What to release.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="endsAt">The moment when the last attempt ends.</param>
    public ValueTask<TimedReply<ReleaseReply>> ReleaseAsync(ReleaseRequest request, TimeSpan limit, TimeSpan endsAt) =>
        CallAsync(store, pipelines.Renewal, request, static (store, request, token) => store.ReleaseAsync(request, token), limit, false, CancellationToken.None, endsAt);

    /// <summary>Renews leases.</summary>
    /// <param name="requests">Asked anew before each attempt, so that a lease that ended meanwhile is left out.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="continueOnCapturedContext">
    /// Whether to stay on the caller's synchronization context throughout. That of the watchdog does not wait for the pool; that of an application
    /// may wait for this very call.
    /// </param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<TimedReply<IReadOnlyList<RenewalReply>>> RenewAsync(
        Func<IReadOnlyList<RenewalRequest>> requests, TimeSpan limit, bool continueOnCapturedContext, CancellationToken cancellationToken) =>
        CallAsync(
            store,
            pipelines.Renewal,
            requests,
            static (store, requests, token) => requests() is { Count: > 0 } batch ? store.RenewAsync(batch, token) : Task.FromResult<IReadOnlyList<RenewalReply>>([]),
            limit,
            continueOnCapturedContext,
            cancellationToken);

    public ValueTask<TimedReply<LockInspection>> InspectAsync(string lockName, int maxWaiters, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(administration, pipelines.Acquisition, (lockName, maxWaiters), static (store, ask, token) => store.InspectAsync(ask.lockName, ask.maxWaiters, token), limit, false, cancellationToken);

    public ValueTask<TimedReply<LockPage>> ListAsync(string? cursor, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(administration, pipelines.Acquisition, cursor, static (store, cursor, token) => store.ListAsync(cursor, token), limit, false, cancellationToken);

    public ValueTask<TimedReply<bool>> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            administration,
            pipelines.Renewal,
            (lockName, fencingToken, claimWindow),
            static (store, ask, token) => store.RevokeAsync(ask.lockName, ask.fencingToken, ask.claimWindow, token),
            limit,
            false,
            cancellationToken);

    /// <summary>Subscribes once, with no limit: a subscription that comes late is kept all the same.</summary>
    /// <exception cref="LockStoreException">Whatever the store threw.</exception>
    public async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler)
    {
        try
        {
            return await store.SubscribeAsync(nodeId, handler, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not LockStoreException)
        {
            throw GivenUp(e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TimedReply<TReply>> CallAsync<TStore, TRequest, TReply>(
        TStore asked,
        StorePipeline pipeline,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        TimeSpan limit,
        bool continueOnCapturedContext,
        CancellationToken cancellationToken,
        TimeSpan? endsAt = null)
    {
        LockStoreException? failure = null;
        try
        {
            if (pipeline.OnlyRetries)
            {
                try
                {
                    return await AttemptAsync(asked, 1, request, operation, limit, endsAt, continueOnCapturedContext, cancellationToken).ConfigureAwait(continueOnCapturedContext);
                }
                catch (LockStoreException e) when (e.IsTransient && !(endsAt <= time.Uptime))
                {
                    // For the pipeline to retry, below.
                    failure = e;
                }
            }

            return await RunPipelineAsync(asked, pipeline.Pipeline, failure, request, operation, limit, endsAt, continueOnCapturedContext, cancellationToken).ConfigureAwait(continueOnCapturedContext);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // With the caller's token, and not with one that a pipeline or a store links to it.
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e) when (e is not LockStoreException && !IsLacking<TStore>(e))
        {
            // A pipeline of the user's, or the store, gave up in a way of its own: a time limit, an open circuit. Whether the call was
            // applied is unknown, which is what a transient failure means to everything above.
            failure = GivenUp(e);
            outage.Failed(failure);
            throw failure;
        }
    }

    /// <param name="asked">The store, or its administration.</param>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="first">How the first attempt failed, when it was made already: it counts as the pipeline's own.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="operation">How it is asked.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="endsAt">The moment when the last attempt ends; null for none.</param>
    /// <param name="continueOnCapturedContext">Whether to go on where the caller is.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    private async ValueTask<TimedReply<TReply>> RunPipelineAsync<TStore, TRequest, TReply>(
        TStore asked,
        ResiliencePipeline pipeline,
        LockStoreException? first,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        TimeSpan limit,
        TimeSpan? endsAt,
        bool continueOnCapturedContext,
        CancellationToken cancellationToken)
    {
        var attempts = 0;
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext, cancellationToken);
        try
        {
            return await pipeline.ExecuteAsync(
                context => ++attempts == 1 && first is not null
                    ? ValueTask.FromException<TimedReply<TReply>>(first)
                    : AttemptAsync(asked, attempts, request, operation, limit, endsAt, context.ContinueOnCapturedContext, context.CancellationToken),
                context).ConfigureAwait(continueOnCapturedContext);
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
        TimeSpan limit,
        TimeSpan? endsAt,
        bool continueOnCapturedContext,
        CancellationToken cancellationToken)
    {
        var sentAt = time.Uptime;
        var ahead = SuspensionCheck.Ahead(time);
        if (endsAt is { } end && end - sentAt < limit)
        {
            limit = end > sentAt
                ? end - sentAt
                : throw new LockStoreException($"The time for the call to the store '{store.Name}' is up.");
        }

        try
        {
            var reply = await operation(asked, request, cancellationToken)
                .WithinAsync(limit, time, continueOnCapturedContext, cancellationToken)
                .ConfigureAwait(continueOnCapturedContext);
            outage.Succeeded();
            return new TimedReply<TReply>(reply, sentAt, ahead, attempt);
        }
        catch (TimeoutException e)
        {
            // A call that hangs: no reply and no error. It may be applied later, and nothing here counts on either.
            var failure = new LockStoreException($"The store '{store.Name}' did not reply within {limit.TotalMilliseconds:F0} ms.", isTransient: true, e);
            outage.Failed(failure);
            throw failure;
        }
        catch (LockStoreException e)
        {
            outage.Failed(e);
            throw;
        }
    }

    private LockStoreException GivenUp(Exception error) =>
        new($"The call to the store '{store.Name}' was given up: {error.Message}", isTransient: true, error);

    /// <summary>Whether what was asked says that it has no such operation, which an administration may.</summary>
    private static bool IsLacking<TStore>(Exception exception) => exception is NotSupportedException && typeof(TStore) == typeof(ILockStoreAdministration);
}
