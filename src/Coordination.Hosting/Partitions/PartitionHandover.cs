namespace Coordination.Hosting.Partitions;

/// <summary>
/// Passes on what a node leads that is about to stop and is no member any more: the work of a partition is told when its next node waits for it, so that nobody misses a node meanwhile.
/// The others have to learn first that this one goes, and who does not come in time is not waited for.
/// </summary>
internal sealed class PartitionHandover(PartitionedService service, PartitionMembership membership, ILockInspector inspector, TimeProvider time)
{
    private const int QuestionsAtOnce = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>What the others take to wait for it when they have learned of it.</summary>
    private static readonly TimeSpan UntilTheyWait = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(3);

    private readonly TimeSpan _wait = service.Options.BalanceInterval < LongestWait - UntilTheyWait ? service.Options.BalanceInterval + UntilTheyWait : LongestWait;

    /// <summary>Ends when all has been told to stop, or there is nobody or nothing to wait for. Throws nothing.</summary>
    /// <param name="names">The partitions.</param>
    public async Task RunAsync(IReadOnlySet<string> names)
    {
        try
        {
            for (var begun = time.GetTimestamp(); time.GetElapsedTime(begun) < _wait;)
            {
                var led = service.Runs.Values.Where(static run => run.IsSurplus).ToList();
                if (led.Count == 0)
                {
                    return;
                }

                // They may be about to stop as well.
                var (members, _) = await membership.ReadAsync(takesPart: false, CancellationToken.None).ConfigureAwait(false);
                if (members.Count == 0)
                {
                    return;
                }

                var assignment = PartitionAssignment.Create(members.Select(static member => KeyValuePair.Create(member.NodeId, member.MaxPartitions)), names);
                foreach (var share in led.GroupBy(run => assignment.Find(run.Partition)))
                {
                    await PassAsync([.. share], share.Key).ConfigureAwait(false);
                }

                await Task.Delay(Pause, time).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // Whatever it is: the host stops, and all work is told.
        }
    }

    /// <summary>Tells the work of what a node waits for, of those that are its share now.</summary>
    /// <param name="share">The partitions, in any order.</param>
    /// <param name="nodeId">The node; null for none.</param>
    private async Task PassAsync(List<PartitionRun> share, string? nodeId)
    {
        if (nodeId is null)
        {
            share.ForEach(static run => run.Stop());
            return;
        }

        // One of them tells whether the node has begun to wait. Which one differs, for it may stay away from this one or that.
        if (!await IsWaitedForAsync(share[Random.Shared.Next(share.Count)]).ConfigureAwait(false))
        {
            return;
        }

        await Parallel.ForEachAsync(share, new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce }, async (run, _) =>
        {
            if (await IsWaitedForAsync(run).ConfigureAwait(false))
            {
                run.Stop(nodeId);
            }
        }).ConfigureAwait(false);
    }

    private async Task<bool> IsWaitedForAsync(PartitionRun run) =>
        (await inspector.InspectAsync(run.LockName, cancellationToken: CancellationToken.None).ConfigureAwait(false)).Waiters.Any(static waiter => waiter.IsAlive);
}
