using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Stores;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// Gives away all that a node leads that is to take no part: one partition after the other, each when its new node waits for it, or has had the time to. For one caller at a time.
/// </summary>
internal sealed class PartitionDrain(PartitionedService service, ILockInspector inspector, string nodeId, TimeProvider time, PartitionLog log)
{
    /// <summary>For how many looks of its new node a partition may have to wait: that first has to learn of it.</summary>
    private const int LooksUntilWaitedFor = 3;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>What a store that is well replies in, also where no more time is left for it.</summary>
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(500);

    private readonly HashSet<PartitionRun> _passedOver = [];
    private long _begunAt;
    private PartitionRun? _awaited;
    private long _awaitedSince;

    /// <summary>How long a look at who takes part may take meanwhile: the work is told in time, whatever the store does.</summary>
    public TimeSpan LookLimit => Left < ShortestLook ? ShortestLook : Left < StoreTimeLimit.Default ? Left : StoreTimeLimit.Default;

    /// <summary>How long the first of them may still wait for its new node.</summary>
    private TimeSpan Left => (LooksUntilWaitedFor * service.Options.BalanceInterval) - time.GetElapsedTime(_begunAt);

    /// <summary>The node is to take no part from now on.</summary>
    public void Begin()
    {
        _begunAt = time.GetTimestamp();
        _passedOver.Clear();
        _awaited = null;
    }

    /// <summary>Goes on with it, where it is the turn of this service to, and as far as it comes by now.</summary>
    /// <param name="turn">What the node leads by.</param>
    /// <param name="woken">Ends a wait.</param>
    /// <param name="stop">Cancelled when the host stops.</param>
    /// <returns>How long until it is to be called again at most.</returns>
    /// <exception cref="OperationCanceledException">The host stops.</exception>
    public async Task<TimeSpan?> GiveAwayAsync(LeadTurn turn, Task woken, CancellationToken stop)
    {
        foreach (var run in service.Runs.Values.OrderBy(static run => run.Partition, StringComparer.Ordinal))
        {
            if (!turn.Leading.IsCancellationRequested || service.Switch.CanLead)
            {
                return null;
            }

            // Of what is lost there is nothing to give away, however long its work goes on.
            if (!run.IsEnded && (run.HasLost || _passedOver.Contains(run)))
            {
                continue;
            }

            if (run.IsSurplus)
            {
                // Not itself, as in what it saw last where the store cannot be asked.
                var successor = service.View.Assignment.Find(run.Partition) is { } found && found != nodeId ? found : null;
                if (successor is not null && Left > TimeSpan.Zero && !await IsWaitedForAsync(run, stop).ConfigureAwait(false))
                {
                    return ShortestPause;
                }

                run.GiveAway(successor);
            }

            if (await EndAsync(run, woken, stop).ConfigureAwait(false) is { } left)
            {
                return left;
            }
        }

        service.Switch.GivesAwayMore = false;
        return null;
    }

    /// <summary>Waits for the end of what was told, a while.</summary>
    /// <returns>How long it is to be waited for still; null for not any more.</returns>
    private async Task<TimeSpan?> EndAsync(PartitionRun run, Task woken, CancellationToken stop)
    {
        if (_awaited != run)
        {
            (_awaited, _awaitedSince) = (run, time.GetTimestamp());
        }

        var left = NodeDrain.Patience - time.GetElapsedTime(_awaitedSince);
        var wait = left < service.Options.BalanceInterval ? left : service.Options.BalanceInterval;
        if (wait > TimeSpan.Zero)
        {
            await ((Task)Task.WhenAny(run.Ended, woken)).WaitAsync(wait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
        }

        if (run.IsEnded)
        {
            service.Runs.TryRemove(run.Partition, out _);
            return null;
        }

        left = NodeDrain.Patience - time.GetElapsedTime(_awaitedSince);
        if (run.HasLost)
        {
            return null;
        }

        if (left > TimeSpan.Zero)
        {
            return left;
        }

        // It keeps its lock, and not those that come after it.
        _passedOver.Add(run);
        log.PassesOver(run.LockName);
        return null;
    }

    private async Task<bool> IsWaitedForAsync(PartitionRun run, CancellationToken stop)
    {
        var isWaitedFor = false;
        try
        {
            await StoreTimeLimit.ApplyAsync(
                Left < StoreTimeLimit.Default ? Left : StoreTimeLimit.Default,
                async limited => isWaitedFor = (await inspector.InspectAsync(run.LockName, cancellationToken: limited).ConfigureAwait(false)).Waiters.Any(static waiter => waiter.IsAlive),
                time,
                stop).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is LockStoreException or NotSupportedException)
        {
            // Nobody can tell, and the node is to lead nothing.
            return true;
        }

        return isWaitedFor;
    }
}
