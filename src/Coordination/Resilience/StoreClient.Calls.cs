using System.Runtime.CompilerServices;
using Coordination.Stores;
using Coordination.Time;
using Polly;

namespace Coordination.Resilience;

/// <content>How a call is made: by its pipeline, attempt by attempt.</content>
internal sealed partial class StoreClient
{
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
            throw new LockStoreException(e.Message, e.IsTransient, e.InnerException) { Cause = e.Cause, IsLockBusy = e.IsLockBusy };
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
        var (last, leavesAt) = (first, plan.LeavesAt);
        var context = ResilienceContextPool.Shared.Get(plan.ContinueOnCapturedContext, cancellationToken);
        try
        {
            return await pipeline.ExecuteAsync(
                context => ++attempts == 1 && first is not null
                    ? ValueTask.FromException<TimedReply<TReply>>(first)
                    : AttemptAgainAsync(plan with { ContinueOnCapturedContext = context.ContinueOnCapturedContext }, context.CancellationToken),
                context).ConfigureAwait(plan.ContinueOnCapturedContext);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }

        async ValueTask<TimedReply<TReply>> AttemptAgainAsync(CallPlan again, CancellationToken token)
        {
            if (again.IsTry && last is not null)
            {
                // It has learned that the store is away.
                leavesAt ??= Min(time.Uptime + TryWhileAway, again.EndsAt!.Value);
                if (leavesAt <= time.Uptime)
                {
                    // How it failed is known, and what a pipeline would try again now is too late.
                    return new TimedReply<TReply>(default!, time.Reading, attempts) { Away = last };
                }
            }

            try
            {
                var reply = await AttemptAsync(asked, attempts, request, operation, again with { LeavesAt = leavesAt, FoundBusy = last is { IsLockBusy: true } }, token).ConfigureAwait(again.ContinueOnCapturedContext);

                // What goes on without its caller waits for the same as before.
                return reply.Away is not null && last is { IsLockBusy: true } ? reply with { Away = last } : reply;
            }
            catch (LockStoreException e)
            {
                last = e;
                throw;
            }
        }
    }

    private ValueTask<TimedReply<TReply>> AttemptAsync<TStore, TRequest, TReply>(
        TStore asked,
        int attempt,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        CallPlan plan,
        CancellationToken cancellationToken) =>
        !gate.IsOpen && plan.LockName is not null ? AttemptAtGateAsync(asked, attempt, request, operation, plan, cancellationToken)
        : plan.LeavesAt is { } end ? SendUntilAsync(end, asked, attempt, request, operation, plan, cancellationToken)
        : SendAsync(asked, attempt, request, operation, plan, cancellationToken);

    private async ValueTask<TimedReply<TReply>> AttemptAtGateAsync<TStore, TRequest, TReply>(
        TStore asked,
        int attempt,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        CallPlan plan,
        CancellationToken cancellationToken)
    {
        plan = plan with { Shard = store.ShardOf(plan.LockName!) };
        if (await EnterAsync(plan, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext) is { } away)
        {
            return new TimedReply<TReply>(default!, time.Reading, attempt) { Away = away };
        }

        cancellationToken.ThrowIfCancellationRequested();
        return plan.LeavesAt is { } end
            ? await SendUntilAsync(end, asked, attempt, request, operation, plan, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext)
            : await SendAsync(asked, attempt, request, operation, plan, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext);
    }

    /// <summary>
    /// Sends what the caller waits for until a moment, and then leaves. It goes on without the caller: it had the turn of all that wait, and what comes of it says
    /// whether the store is back, also where its replies take longer than a caller has.
    /// </summary>
    private async ValueTask<TimedReply<TReply>> SendUntilAsync<TStore, TRequest, TReply>(
        TimeSpan end,
        TStore asked,
        int attempt,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        CallPlan plan,
        CancellationToken cancellationToken)
    {
        // Of its own, for what it is linked to may be used again by others when the caller has left.
        var cancellation = new CancellationTokenSource();
        var sending = SendAsync(asked, attempt, request, operation, plan, cancellation.Token).AsTask();
        try
        {
            return await sending.WithinAsync(Max(end - time.Uptime, TimeSpan.Zero), time, plan.ContinueOnCapturedContext, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext);
        }
        catch (TimeoutException)
        {
            plan.Sending?.GoesOn(sending);
            return new TimedReply<TReply>(default!, time.Reading, attempt) { Away = gate.FindFailure(plan.Shard ?? 0) is { } known ? Away(plan.Call, plan.LockName!, known) : NoReply(plan, TryWhileAway) };
        }
        catch (LockStoreException e) when (e.IsTransient && end - time.Uptime < StoreGate.Pace)
        {
            // A pipeline would wait before it tried again, and there is no time for another turn.
            return new TimedReply<TReply>(default!, time.Reading, attempt) { Away = e };
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _ = cancellation.CancelAsync();
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TimedReply<TReply>> SendAsync<TStore, TRequest, TReply>(
        TStore asked,
        int attempt,
        TRequest request,
        Func<TStore, TRequest, CancellationToken, Task<TReply>> operation,
        CallPlan plan,
        CancellationToken cancellationToken)
    {
        var sent = time.Reading;
        var sentAt = sent.Uptime;
        var limit = plan.Limit;
        if (plan.EndsAt is { } end && end - sentAt < limit)
        {
            limit = end > sentAt ? end - sentAt : throw TimeIsUp();
        }

        plan.Sending?.Begin();

        // A release has to be sent: its token would end the wait for the reply alone, which has a bound here.
        var cancellation = plan.Call == StoreCall.Release ? null : AttemptCancellation.Begin(cancellationToken);
        var isDone = false;
        try
        {
            var replying = Ask(asked, request, operation, plan, cancellation?.Token ?? CancellationToken.None);
            var reply = await _limits.WithinAsync(replying, limit, plan.ContinueOnCapturedContext, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext);
            isDone = true;
            Succeeded(plan, sentAt, isAsked: reply is not null && !ReferenceEquals(replying, NothingToRenew));
            return new TimedReply<TReply>(reply, sent, attempt);
        }
        catch (TimeoutException e)
        {
            // A call that hangs: no reply and no error. If it was sent it may be applied later, and nothing here counts on either.
            var failure = NoReply(plan, limit, e);
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
            cancellation?.End(isDone);
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
        var limit = plan switch
        {
            // The last part of its time is for the reply.
            { LeavesAt: { } leaves } => Max(leaves - StoreGate.Pace - now, TimeSpan.Zero),
            { EndsAt: { } end } => end > now ? end - now : throw TimeIsUp(),
            _ => plan.Patience,
        };
        return await gate.EnterAsync(plan.Shard!.Value, plan, limit, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext) is { } known
            ? Away(plan.Call, plan.LockName!, known)
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
        if (error is { IsTransient: true, IsLockBusy: false })
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

    /// <summary>What another call has found, as a failure of this one, which was not sent.</summary>
    private LockStoreException Away(StoreCall call, string lockName, LockStoreException known) =>
        new($"The store '{store.Name}' is away; cannot {Describe(call)} the lock '{lockName}' now: {known.Cause ?? known.Message}", isTransient: true, known.InnerException)
        {
            MayBeApplied = false,
            Cause = known.Cause,
        };

    private LockStoreException NoReply(CallPlan plan, TimeSpan limit, Exception? inner = null)
    {
        var cause = $"The store '{store.Name}' did not reply within {limit.TotalMilliseconds:F0} ms.";
        return new LockStoreException(plan.LockName is { } lockName ? $"Cannot {Describe(plan.Call)} the lock '{lockName}' now: {cause}" : cause, isTransient: true, inner) { Cause = cause, IsLockBusy = plan.FoundBusy };
    }

    private static string Describe(StoreCall call) => call switch
    {
        StoreCall.Renewal => "renew",
        StoreCall.Release => "release",
        _ => "acquire",
    };

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private LockStoreException TimeIsUp() => new($"The time for the call to the store '{store.Name}' is up.");

    /// <remarks>Without the message of what was thrown, which is not known to hold no secret.</remarks>
    private LockStoreException GivenUp(Exception error, bool mayBeApplied) =>
        new($"The call to the store '{store.Name}' was given up: {error.GetType().Name}.", isTransient: true, error) { MayBeApplied = mayBeApplied };

    /// <summary>Whether what was asked says that it has no such operation, which an administration may.</summary>
    private static bool IsLacking<TStore>(Exception exception) => exception is NotSupportedException && typeof(TStore) == typeof(ILockStoreAdministration);
}
