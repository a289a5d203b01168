using Coordination.Stores;
using Coordination.Telemetry;
using Polly;

namespace Coordination.Resilience;

/// <summary>
/// The one way to the store: each call goes through a pipeline, each attempt has a time limit, and outages are said as one.
/// </summary>
internal sealed class StoreClient(ILockStore store, StorePipelines pipelines, OutageReporter outage, TimeProvider time)
{
    private ILockStore Store => store;

    private OutageReporter Outage => outage;

    private TimeProvider Time => time;

    /// <inheritdoc cref="ILockStore.PartitionOf"/>
    public int PartitionOf(string lockName) => store.PartitionOf(lockName);

    public ValueTask<StoreAnswer<AcquireReply>> AcquireAsync(AcquireRequest request, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(pipelines.Acquisition, request, static (store, request, token) => store.AcquireAsync(request, token), limit, false, cancellationToken);

    public ValueTask<StoreAnswer<ReleaseReply>> ReleaseAsync(ReleaseRequest request, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(pipelines.Renewal, request, static (store, request, token) => store.ReleaseAsync(request, token), limit, false, cancellationToken);

    /// <summary>Renews leases, and stays on the caller's synchronization context throughout: that of the watchdog does not wait for the pool.</summary>
    /// <param name="requests">Asked anew before each attempt, so that a lease that ended meanwhile is left out.</param>
    /// <param name="limit">How long one attempt may take.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<StoreAnswer<IReadOnlyList<RenewalReply>>> RenewAsync(Func<IReadOnlyList<RenewalRequest>> requests, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            pipelines.Renewal,
            requests,
            static (store, requests, token) => requests() is { Count: > 0 } batch ? store.RenewAsync(batch, token) : Task.FromResult<IReadOnlyList<RenewalReply>>([]),
            limit,
            true,
            cancellationToken);

    public ValueTask<StoreAnswer<LockInspection>> InspectAsync(string lockName, int maxWaiters, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(pipelines.Acquisition, (lockName, maxWaiters), static (store, ask, token) => store.InspectAsync(ask.lockName, ask.maxWaiters, token), limit, false, cancellationToken);

    public ValueTask<StoreAnswer<LockPage>> ListAsync(string? cursor, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(pipelines.Acquisition, cursor, static (store, cursor, token) => store.ListAsync(cursor, token), limit, false, cancellationToken);

    public ValueTask<StoreAnswer<bool>> ReleaseByTokenAsync(string lockName, long fencingToken, TimeSpan claimWindow, TimeSpan limit, CancellationToken cancellationToken) =>
        CallAsync(
            pipelines.Renewal,
            (lockName, fencingToken, claimWindow),
            static (store, ask, token) => store.ReleaseByTokenAsync(ask.lockName, ask.fencingToken, ask.claimWindow, token),
            limit,
            false,
            cancellationToken);

    private async ValueTask<StoreAnswer<TReply>> CallAsync<TRequest, TReply>(
        ResiliencePipeline pipeline,
        TRequest request,
        Func<ILockStore, TRequest, CancellationToken, Task<TReply>> operation,
        TimeSpan limit,
        bool continueOnCapturedContext,
        CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext, cancellationToken);
        try
        {
            return await pipeline.ExecuteAsync(
                static (context, call) => call.AttemptAsync(context.ContinueOnCapturedContext, context.CancellationToken),
                context,
                new Call<TRequest, TReply>(this, request, operation, limit)).ConfigureAwait(continueOnCapturedContext);
        }
        catch (Exception e) when (e is not LockStoreException && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            // A pipeline of the user's, or the store, gave up in a way of its own: a time limit, an open circuit. Whether the call was
            // applied is unknown, which is what a transient failure means to everything above.
            var failure = new LockStoreException($"The call to the store '{store.Name}' was given up: {e.Message}", isTransient: true, e);
            outage.Failed(failure);
            throw failure;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>One call with its attempts.</summary>
    private sealed class Call<TRequest, TReply>(StoreClient client, TRequest request, Func<ILockStore, TRequest, CancellationToken, Task<TReply>> operation, TimeSpan limit)
    {
        private int _attempt;

        public async ValueTask<StoreAnswer<TReply>> AttemptAsync(bool continueOnCapturedContext, CancellationToken cancellationToken)
        {
            var attempt = ++_attempt;
            var sentAt = client.Time.Uptime;
            try
            {
                var reply = await operation(client.Store, request, cancellationToken)
                    .WithinAsync(limit, client.Time, continueOnCapturedContext, cancellationToken)
                    .ConfigureAwait(continueOnCapturedContext);
                client.Outage.Succeeded();
                return new StoreAnswer<TReply>(reply, sentAt, attempt);
            }
            catch (TimeoutException e)
            {
                // A call that hangs: no reply and no error. It may be applied later, and nothing here counts on either.
                var failure = new LockStoreException($"The store '{client.Store.Name}' did not answer within {limit.TotalMilliseconds:F0} ms.", isTransient: true, e);
                client.Outage.Failed(failure);
                throw failure;
            }
            catch (LockStoreException e)
            {
                client.Outage.Failed(e);
                throw;
            }
        }
    }
}
