using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Terms;

/// <summary>
/// Who is to lead after this node. The leader decides, and nobody else: while it leads it makes way for a node that is preferred to it, and when its term ends it passes the lock to the one that is preferred
/// to the others. Asks nothing where no preference is set.
/// </summary>
internal sealed class Succession(ExclusiveService service, ILockInspector inspector, TimeProvider time, ServiceLog log)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>After so many doublings a node that gives the lead back waits no longer than before.</summary>
    private const int MostDoublings = 7;

    private readonly LockQueue _queue = new(service.Lock.Name, inspector, time);
    private readonly Preference _preference = new([.. service.Options.PreferredNodes]);
    private readonly Dictionary<string, int> _cameToNothing = new(StringComparer.Ordinal);
    private (string NodeId, long At)? _madeWay;

    private bool IsSet => service.Options.Rank is not null || OwnRank != 0 || service.Options.PreferredNodes.Count > 0;

    /// <summary>As the others see it.</summary>
    private long OwnRank => service.LockOptions?.Rank ?? 0;

    /// <summary>Whether a release passes the lock on: else whoever asks first has it, and there is none to name.</summary>
    private bool PassesOn => service.LockOptions?.AllowBarging != true;

    /// <summary>The node to release to. Throws nothing of what the store does.</summary>
    /// <param name="asked">The id or the name of a node that was asked for; null for none.</param>
    /// <returns>The id of one that waits, or what was asked for, as it may come to; null for the first in the queue.</returns>
    public async Task<string?> FindAsync(string? asked)
    {
        if (!PassesOn || (asked is null && !IsSet))
        {
            return null;
        }

        if (await _queue.LookAsync(CancellationToken.None).ConfigureAwait(false) is not { } seen)
        {
            return asked;
        }

        var waiters = LockQueue.WaitersOf(seen);
        return LockQueue.Find(waiters, asked)?.Owner.NodeId ?? (IsSet ? Best(waiters)?.Owner.NodeId : null);
    }

    /// <summary>Looks at the queue now and then, and has the term end when a preferred node has waited for long enough. Ends with the term.</summary>
    public async Task WatchAsync(ILockLease lease, WorkEnding ending, CancellationToken ended)
    {
        if (!IsSet)
        {
            return;
        }

        var pause = TimeSpan.FromTicks(Math.Clamp(service.Options.PreferenceDwell.Ticks / 3, ShortestPause.Ticks, LongestPause.Ticks));
        var began = time.GetTimestamp();
        Dictionary<string, long> since = [];
        JudgeTheLast();
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

            // By this node's own clock, and from when it was first seen: who comes anew begins anew.
            var waiters = LockQueue.WaitersOf(seen);
            since = waiters.Select(static waiter => waiter.Owner.NodeId).Distinct(StringComparer.Ordinal).ToDictionary(node => node, node => since.GetValueOrDefault(node, time.GetTimestamp()), StringComparer.Ordinal);
            var ready = waiters.FindAll(waiter => time.GetElapsedTime(since[waiter.Owner.NodeId]) >= DwellOf(waiter.Owner.NodeId));
            var own = (lease.Owner, OwnRank);
            if (time.GetElapsedTime(began) >= service.Options.PreferenceDwell && !ending.IsAsked && Best(ready) is { } best && _preference.Compare((best.Owner, best.Rank), own) > 0 && IsLast(seen, lease))
            {
                log.MakesWay(best, lease);
                _madeWay = (best.Owner.NodeId, time.GetTimestamp());
                ending.Ask(WorkEnd.SteppedDown, TimeSpan.Zero, best.Owner.NodeId);
                return;
            }
        }
    }

    /// <summary>
    /// Whether the node that this one made way for last kept the lead for long enough to be worth it. One that fails has it for a moment, comes to the queue again, and would cost the others a term
    /// at each dwell time: each time it has to wait twice as long.
    /// </summary>
    private void JudgeTheLast()
    {
        if (_madeWay is { } last)
        {
            var least = TimeSpan.FromTicks(Math.Max(DwellOf(last.NodeId).Ticks, ShortestPause.Ticks));
            _cameToNothing[last.NodeId] = time.GetElapsedTime(last.At) < 2 * least ? Math.Min(_cameToNothing.GetValueOrDefault(last.NodeId) + 1, MostDoublings) : 0;
            _madeWay = null;
        }
    }

    private TimeSpan DwellOf(string nodeId) => _cameToNothing.GetValueOrDefault(nodeId) is var times and > 0
        ? TimeSpan.FromTicks(Math.Max(service.Options.PreferenceDwell.Ticks, ShortestPause.Ticks)) * (1 << times)
        : service.Options.PreferenceDwell;

    /// <summary>Of equals the one that came first.</summary>
    private LockWaiter? Best(List<LockWaiter> waiters) => waiters.OrderByDescending(static waiter => (waiter.Owner, waiter.Rank), _preference).FirstOrDefault();

    /// <summary>Whether, of several leaders, it is this one that makes way: else all would, for one node that waits.</summary>
    private bool IsLast(LockInspection seen, ILockLease lease)
    {
        var last = seen.Holders.OrderBy(static holder => (holder.Owner, holder.Rank), _preference).ThenByDescending(static holder => holder.FencingToken).FirstOrDefault();
        return last?.FencingToken == lease.FencingToken;
    }
}
