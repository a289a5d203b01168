using Coordination.Hosting.Stores;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// Passes on what a node leads that is about to stop and is to be no member any more: the work of a partition is told when its next node waits for it, so that nobody misses a node meanwhile.
/// The others have to learn first that this one goes, and who does not come in time is not waited for. The time is one for all of it, whatever the store does.
/// </summary>
internal sealed class PartitionHandover(PartitionedService service, PartitionMembership membership, ILockInspector inspector, TimeProvider time, PartitionLog log)
{
    private const int QuestionsAtOnce = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>What the others take to wait for it when they have learned of it.</summary>
    private static readonly TimeSpan UntilTheyWait = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(3);

    private readonly TimeSpan _wait = service.Options.BalanceInterval < LongestWait - UntilTheyWait ? service.Options.BalanceInterval + UntilTheyWait : LongestWait;

    /// <summary>Ends when all has been told to stop, there is nobody or nothing to wait for, or the time is up. Throws nothing.</summary>
    /// <param name="names">The partitions.</param>
    public async Task RunAsync(IReadOnlySet<string> names)
    {
        try
        {
            await StoreTimeLimit.ApplyAsync(_wait, limited => PassAllAsync(names, limited), time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is LockStoreException or NotSupportedException)
        {
            // The time is up, or the store cannot say who waits: the host stops, and all work is told.
        }
        catch (Exception exception)
        {
            // A failure of this library keeps no work from being told, and is not passed over in silence.
            log.LoopFailed(exception);
        }
    }

    private async Task PassAllAsync(IReadOnlySet<string> names, CancellationToken limited)
    {
        while (!limited.IsCancellationRequested)
        {
            var led = service.Runs.Values.Where(static run => run.IsSurplus).ToList();
            if (led.Count == 0)
            {
                return;
            }

            // They may be about to stop as well.
            var (members, _) = await membership.ReadAsync(takesPart: false, limited).ConfigureAwait(false);
            if (members.Count == 0)
            {
                return;
            }

            var assignment = PartitionAssignment.Create(members, names);
            foreach (var share in led.GroupBy(run => assignment.Find(run.Partition)))
            {
                await PassAsync([.. share], share.Key, limited).ConfigureAwait(false);
            }

            await Task.Delay(Pause, time, limited).ConfigureAwait(false);
        }
    }

    /// <summary>Tells the work of what a node waits for, of those that are its share now.</summary>
    /// <param name="share">The partitions, in any order.</param>
    /// <param name="nodeId">The node; null for none.</param>
    /// <param name="limited">Cancelled when the time is up.</param>
    private async Task PassAsync(List<PartitionRun> share, string? nodeId, CancellationToken limited)
    {
        if (nodeId is null)
        {
            share.ForEach(static run => run.Stop());
            return;
        }

        // One of them tells whether the node has begun to wait. Which one differs, for it may stay away from this one or that.
        if (!await IsWaitedForAsync(share[Random.Shared.Next(share.Count)], limited).ConfigureAwait(false))
        {
            return;
        }

        await Parallel.ForEachAsync(share, new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = limited }, async (run, either) =>
        {
            if (await IsWaitedForAsync(run, either).ConfigureAwait(false))
            {
                run.Stop(nodeId);
            }
        }).ConfigureAwait(false);
    }

    private async Task<bool> IsWaitedForAsync(PartitionRun run, CancellationToken limited) =>
        (await inspector.InspectAsync(run.LockName, cancellationToken: limited).ConfigureAwait(false)).Waiters.Any(static waiter => waiter.IsAlive);
}
