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

    private readonly HashSet<long> _tokens = [];

    public async Task<StepDownResult> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var endsAt = timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : time.Uptime + timeout;
        var lockNow = await InspectAsync(cancellationToken).ConfigureAwait(false);
        var asked = lockNow.Holders.Where(holder => !holder.IsReleased && holder.FencingToken == (fencingToken ?? holder.FencingToken)).ToList();
        var request = RequestOf(lockNow);
        foreach (var holder in asked)
        {
            Log.StepDownAsked(logger, lockName, holder.Owner, holder.FencingToken, request.Successor is { } node ? $", for node {node}" : string.Empty);
            if (await AskAsync(holder.FencingToken, request, cancellationToken).ConfigureAwait(false))
            {
                _tokens.Add(holder.FencingToken);
            }
        }

        for (var pause = FirstPause; _tokens.Count > 0; pause = Min(2 * pause, LongestPause))
        {
            var left = endsAt - time.Uptime;
            if (left <= TimeSpan.Zero)
            {
                return StepDownResult.StillHeld;
            }

            await Task.Delay(Min(pause, left), time, cancellationToken).ConfigureAwait(false);
            try
            {
                await AskAgainAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (LockStoreException away) when (away.IsTransient)
            {
                // Who was asked steps down meanwhile.
            }
        }

        return asked.Count > 0 ? StepDownResult.SteppedDown : StepDownResult.NotHeld;
    }

    private async Task AskAgainAsync(StepDownRequest request, CancellationToken cancellationToken)
    {
        // The node may have come to wait since, or wait no more.
        request = successor is null ? request : RequestOf(await InspectAsync(cancellationToken).ConfigureAwait(false));
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
        return new StepDownRequest { StayAway = stayAway, Successor = node?.NodeId ?? successor };
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
