using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Terms;

/// <summary>
/// Who is to lead after this node. The leader decides, and nobody else: while it leads it makes way for a node that is preferred to it, and when its term ends it passes the lock to the one that is preferred
/// to the others. Asks nothing where no preference is set.
/// </summary>
internal sealed class Succession(ExclusiveService service, Abstention abstention, ILockInspector inspector, TimeProvider time, ServiceLog log)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly LockQueue _queue = new(service.Lock.Name, inspector, time, log);
    private readonly Preference _preference = new([.. service.Options.PreferredNodes]);

    /// <summary>
    /// As the others see it. Where one leads at a time, no other judges by it: a node that began to lead while it abstained, and has led for longer than it had to, need not make way for a lesser one.
    /// </summary>
    private long OwnRank => abstention.Lasts || service.Options.Instances > 1 ? abstention.Stated?.Rank ?? 0 : service.Rank;

    /// <summary>Whether a release passes the lock on: else whoever asks first has it, and there is none to name.</summary>
    private bool PassesOn => service.LockOptions?.AllowBarging != true;

    /// <summary>The node to release to. Throws nothing of what the store does.</summary>
    /// <param name="asked">The id or the name of a node that was asked for; null for none.</param>
    /// <returns>The id of one that waits, or what was asked for, as it may come to; null for the first in the queue.</returns>
    public async Task<string?> FindAsync(string? asked)
    {
        if (!PassesOn || (asked is null && !service.HasPreference))
        {
            return null;
        }

        if (await _queue.LookAsync(CancellationToken.None).ConfigureAwait(false) is not { } seen)
        {
            return asked;
        }

        var waiters = LockQueue.WaitersOf(seen);
        return LockQueue.Find(waiters, asked)?.Owner.NodeId ?? (service.HasPreference ? Best(waiters)?.Owner.NodeId : null);
    }

    /// <summary>Looks at the queue now and then, and has the term end when a preferred node has waited for long enough. Ends with the term.</summary>
    public async Task WatchAsync(ILockLease lease, WorkEnding ending, CancellationToken ended)
    {
        if (!service.HasPreference)
        {
            return;
        }

        var pause = TimeSpan.FromTicks(Math.Clamp(service.Options.PreferenceDwell.Ticks / 3, ShortestPause.Ticks, LongestPause.Ticks));
        var began = time.GetTimestamp();
        Dictionary<(string NodeId, long Rank), long> since = [];
        while (true)
        {
            await Task.Delay(pause, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested)
            {
                return;
            }

            if (await _queue.LookAsync(ended).ConfigureAwait(false) is not { } seen)
            {
                continue;
            }

            // By this node's own clock, and from when it was first seen: who comes anew begins anew, and so does one with another rank, that of a node that abstains no more.
            var waiters = LockQueue.WaitersOf(seen);
            since = waiters.Select(RankedNodeOf).Distinct().ToDictionary(static node => node, node => since.GetValueOrDefault(node, time.GetTimestamp()));
            var ready = waiters.FindAll(waiter => time.GetElapsedTime(since[RankedNodeOf(waiter)]) >= service.Options.PreferenceDwell);
            var own = (lease.Owner, OwnRank);
            if (time.GetElapsedTime(began) >= service.Options.PreferenceDwell && !ending.IsAsked && Best(ready) is { } best && _preference.Compare((best.Owner, best.Rank), own) > 0 && IsLast(seen, lease))
            {
                log.MakesWay(best, lease);
                ending.Ask(WorkEnd.SteppedDown, TimeSpan.Zero, best.Owner.NodeId);
                return;
            }
        }
    }

    private static (string NodeId, long Rank) RankedNodeOf(LockWaiter waiter) => (waiter.Owner.NodeId, waiter.Rank);

    /// <summary>Of equals the one that came first.</summary>
    private LockWaiter? Best(List<LockWaiter> waiters) => waiters.OrderByDescending(static waiter => (waiter.Owner, waiter.Rank), _preference).FirstOrDefault();

    /// <summary>Whether, of several leaders, it is this one that makes way: else all would, for one node that waits.</summary>
    private bool IsLast(LockInspection seen, ILockLease lease)
    {
        var last = seen.Holders.OrderBy(static holder => (holder.Owner, holder.Rank), _preference).ThenByDescending(static holder => holder.FencingToken).FirstOrDefault();
        return last?.FencingToken == lease.FencingToken;
    }
}
