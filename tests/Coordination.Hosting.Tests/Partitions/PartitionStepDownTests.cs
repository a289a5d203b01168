using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>Ending the term of one partition on purpose, by its work or by an operator, who knows of it as of any lock.</summary>
public sealed class PartitionStepDownTests
{
    private const string Partition = "3";
    private const string PartitionLock = $"{SharedService.LockName}/{Partition}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G1", "G10", "G14")]
    [Failure("F21", "F60")]
    [InlineData("operator, by name")]
    [InlineData("operator, by id")]
    [InlineData("operator, who asks again")]
    [InlineData("term")]
    public async Task A_partition_passes_to_the_node_that_is_named_after_its_work_has_returned(string by)
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (told, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        work.Do[Partition] = async (_, stoppingToken) =>
        {
            await Task.Delay(Timeout.Infinite, stoppingToken).ContinueWith(static _ => { }, TaskScheduler.Default);
            told.SetResult();
            await gate.Task;
        };
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        var (b, _) = await WaitAsync(cluster, "b", 1);
        var (c, nodeOfC) = await WaitAsync(cluster, "c", 2);

        var stepping = Task.FromResult(StepDownResult.SteppedDown);
        if (by == "term")
        {
            work.Now.Keys.Single(static term => term.Partition == Partition).StepDown(successor: "c");
        }
        else
        {
            if (by == "operator, who asks again")
            {
                await Inspector(a).StepDownAsync(PartitionLock, "b", timeout: TimeSpan.Zero, cancellationToken: Token);
                await Cluster.UntilAsync(() => told.Task.IsCompleted, "the work is told");
            }

            stepping = Inspector(a).StepDownAsync(PartitionLock, by == "operator, by id" ? nodeOfC : "c", cancellationToken: Token);
        }

        await Cluster.UntilAsync(() => told.Task.IsCompleted, "the work is told");
        await cluster.PassAsync(work, 3 * PartitionNode.BalanceInterval);
        Assert.Equal((a.NodeId, 12, false, false), (work.NodeOf(Partition), work.RunningOn(a.NodeId), b.IsCompleted, c.IsCompleted));

        // The clock stands still: nothing but the release can let it pass.
        work.Do.Clear();
        gate.SetResult();
        await Cluster.UntilAsync(() => c.IsCompleted, "c has the lock");
        Assert.Equal((11, false), (work.RunningOn(a.NodeId), b.IsCompleted));
        await (await c).ReleaseAsync(Token);
        await Cluster.UntilAsync(() => b.IsCompleted, "b has the lock");
        await (await b).ReleaseAsync(Token);

        // It waits again, as it is its share.
        await cluster.SharedAsync(work, (a, 12));
        await cluster.PassUntilAsync(work, () => stepping.IsCompleted, TimeSpan.FromSeconds(10), "who asked knows");
        Assert.Equal((StepDownResult.SteppedDown, 13), (await stepping, work.Terms.Count));
        AssertQuiet(a);
    }

    [Theory]
    [Promise("G14")]
    [Failure("F60")]
    [InlineData("operator")]
    [InlineData("term")]
    public async Task A_node_stays_away_from_a_partition_for_as_long_as_it_was_asked(string by)
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var stayAway = TimeSpan.FromMinutes(1);
        IReadOnlyCollection<string> all = [.. Enumerable.Range(0, 12).Select(static number => $"{number}")];
        var names = new PartitionNames { Now = all };
        var a = await cluster.StartPartitionNodeAsync("a", work, names: names, configure: static options => options.PartitionsInterval = TimeSpan.FromSeconds(1));
        await cluster.SharedAsync(work, (a, 12));
        var asked = cluster.Time.GetUtcNow();
        if (by == "term")
        {
            work.Now.Keys.Single(static term => term.Partition == Partition).StepDown(stayAway);
        }
        else
        {
            await Inspector(a).StepDownAsync(PartitionLock, stayAway: stayAway, timeout: TimeSpan.Zero, cancellationToken: Token);
        }

        await Cluster.UntilAsync(() => work.NodeOf(Partition) is null, "the work has returned");

        // It is nobody's share meanwhile, and then this node's again.
        names.Now = [.. all.Where(static name => name != Partition)];
        await cluster.PassUntilAsync(work, () => a.Partitions.PartitionCount == 11, stayAway / 4, "it is gone");
        await cluster.PassAsync(work, 2 * PartitionNode.BalanceInterval);
        names.Now = all;
        await cluster.PassUntilAsync(work, () => a.Partitions.PartitionCount == 12, stayAway / 4, "it is back");
        await cluster.PassUntilAsync(work, () => work.NodeOf(Partition) is not null, 2 * stayAway, "it is begun again");
        Assert.InRange(cluster.Time.GetUtcNow() - asked, stayAway, stayAway + TimeSpan.FromSeconds(5));
        Assert.Equal((12, 13), (work.RunningOn(a.NodeId), work.Terms.Count));
        Assert.Empty(work.Wrongs);
        AssertQuiet(a);
    }

    [Theory]
    [Promise("G14")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_node_that_takes_part_again_begins_also_what_it_was_to_stay_away_from(bool leavesBetween)
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        work.Now.Keys.Single(static term => term.Partition == Partition).StepDown(TimeSpan.FromDays(49));
        await cluster.PassAsync(work, 5 * PartitionNode.BalanceInterval);
        Assert.Equal((11, 12), (work.Running, work.Terms.Count));
        a.Partitions.SetCanLead(false);
        if (leavesBetween)
        {
            await cluster.SharedAsync(work, (a, 0));
        }

        a.Partitions.SetCanLead(true);
        await cluster.SharedAsync(work, (a, 12));
        AssertQuiet(a);
    }

    /// <summary>Has another node wait for the lock of the partition.</summary>
    private static async Task<(Task<ILockLease> Lease, string NodeId)> WaitAsync(Cluster cluster, string name, int place)
    {
        var node = cluster.CreateNode(name, static _ => { });
        var lease = node.Host.Services.GetRequiredService<ILockProvider>().GetLock(PartitionLock).AcquireAsync(Token);
        await Cluster.UntilAsync(() => cluster.Store.InspectAsync(PartitionLock, 10, Token).Result.WaiterCount == place, $"{name} waits");
        return (lease, node.NodeId);
    }

    private static ILockInspector Inspector(TestNode node) => node.Host.Services.GetRequiredService<ILockInspector>();

    private static void AssertQuiet(TestNode node) => Assert.DoesNotContain(node.Log, static record => record.Level >= LogLevel.Warning);
}
