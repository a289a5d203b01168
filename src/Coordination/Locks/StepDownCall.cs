using Coordination.Resilience;
using Coordination.Telemetry;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Locks;

/// <summary>Asks the holders of one lock to step down, again and again until their grants have ended: what is asked may be lost on its way, or come before the holder can hear it.</summary>
/// <param name="store">The store.</param>
/// <param name="lockName">The lock.</param>
/// <param name="successor">The id or the name of the node that is to have the lock next; null for the first in the queue.</param>
/// <param name="stayAway">How long the holders are not to want the lock again.</param>
/// <param name="fencingToken">The grant that is to end; null for all.</param>
/// <param name="limit">How long one question may take.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Takes what an operator should know.</param>
internal sealed class StepDownCall(StoreClient store, string lockName, string? successor, TimeSpan stayAway, long? fencingToken, TimeSpan limit, TimeProvider time, ILogger logger)
{
    /// <summary>Of those that wait, so many from the front are searched for the node.</summary>
    private const int MaxWaiters = 1000;

    /// <summary>Mostly the work ends soon, and the caller is to know.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>How much of the time is left for the reply to the last question.</summary>
    private static readonly TimeSpan ReplyTime = TimeSpan.FromMilliseconds(100);

    /// <summary>By chance no two that run at a time have the same.</summary>
    private readonly long _call = Random.Shared.NextInt64(1, long.MaxValue);

    /// <summary>The grants that were asked, and have not ended.</summary>
    private readonly HashSet<long> _tokens = [];

    private StepDownRequest? _request;
    private bool _areAsked;

    /// <exception cref="LockStoreException">The store could not be asked, the first time, within the timeout; or refused for good.</exception>
    public async Task<StepDownResult> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        // To ask once takes the time that it takes.
        var isOnce = NamedLock.IsOneTry(timeout);
        using var deadline = new CancellationTokenSource(isOnce ? Timeout.InfiniteTimeSpan : timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var endsAt = timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : time.Uptime + timeout;
            var areHeld = await AskFirstAsync(either.Token).ConfigureAwait(false);
            return !areHeld ? StepDownResult.NotHeld
                : isOnce ? Result
                : await AskOnAsync(endsAt, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && deadline.IsCancellationRequested)
        {
            return _areAsked ? Result : throw NotAsked(timeout, store.FindFailure(lockName));
        }
        catch (OperationCanceledException)
        {
            // With the caller's token, and not one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    private StepDownResult Result => _tokens.Count == 0 ? StepDownResult.SteppedDown : StepDownResult.StillHeld;

    /// <returns>Whether there is anybody to ask.</returns>
    private async Task<bool> AskFirstAsync(CancellationToken cancellationToken)
    {
        var lockNow = await InspectAsync(cancellationToken).ConfigureAwait(false);
        var asked = lockNow.Holders.Where(holder => !holder.IsReleased && holder.FencingToken == (fencingToken ?? holder.FencingToken)).ToList();
        _request = RequestOf(lockNow);
        foreach (var holder in asked)
        {
            Log.StepDownAsked(logger, lockName, holder.Owner, holder.FencingToken, _request.Successor is { } node ? $", for node {node}" : string.Empty);
            if (await AskAsync(holder.FencingToken, _request, cancellationToken).ConfigureAwait(false))
            {
                _tokens.Add(holder.FencingToken);
            }
        }

        _areAsked = true;
        return asked.Count > 0;
    }

    private async Task<StepDownResult> AskOnAsync(TimeSpan endsAt, CancellationToken cancellationToken)
    {
        var isLast = false;
        for (var pause = FirstPause; _tokens.Count > 0 && !isLast; pause = Min(2 * pause, LongestPause))
        {
            // The last part of the time is for the reply.
            var left = endsAt - time.Uptime;
            var untilLast = left - Min(left / 2, ReplyTime);
            isLast = untilLast <= pause;

            // The time may be over already, where the process was held up.
            await Task.Delay(isLast ? Max(untilLast, TimeSpan.Zero) : pause, time, cancellationToken).ConfigureAwait(false);
            try
            {
                await AskAgainAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (LockStoreException away) when (away.IsTransient)
            {
                // Who was asked steps down meanwhile.
            }
        }

        return Result;
    }

    private async Task AskAgainAsync(CancellationToken cancellationToken)
    {
        // The node may have come to wait since, or wait no more.
        var request = successor is null ? _request! : RequestOf(await InspectAsync(cancellationToken).ConfigureAwait(false));
        foreach (var token in _tokens.ToList())
        {
            if (!await AskAsync(token, request, cancellationToken).ConfigureAwait(false))
            {
                _tokens.Remove(token);
            }
        }
    }

    private async Task<bool> AskAsync(long token, StepDownRequest request, CancellationToken cancellationToken) =>
        (await store.AskToStepDownAsync(lockName, token, request, limit, cancellationToken).ConfigureAwait(false)).Reply;

    private async Task<LockInspection> InspectAsync(CancellationToken cancellationToken) =>
        (await store.InspectAsync(lockName, successor is null ? 0 : MaxWaiters, limit, cancellationToken).ConfigureAwait(false)).Reply;

    /// <summary>An id as it is; a name stands for the first waiter of that name. What is neither is asked for all the same: the node may come to wait.</summary>
    private StepDownRequest RequestOf(LockInspection lockNow)
    {
        var waiting = lockNow.Waiters.Where(static waiter => waiter.IsAlive).Select(static waiter => waiter.Owner).ToList();
        var node = waiting.Find(owner => owner.NodeId == successor) ?? waiting.Find(owner => owner.NodeName == successor);
        return new StepDownRequest { StayAway = stayAway, Successor = node?.NodeId ?? successor, Call = _call };
    }

    private LockStoreException NotAsked(TimeSpan timeout, LockStoreException? away) =>
        new($"Who holds the lock '{lockName}' could not be asked to step down, and the time of {timeout} is up: {away?.Cause ?? away?.Message ?? $"the store '{store.Name}' did not reply in it."}", isTransient: true, away) { Cause = away?.Cause };

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
