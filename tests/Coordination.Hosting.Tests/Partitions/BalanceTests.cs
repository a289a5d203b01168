using Coordination.Hosting.Partitions;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>Nodes that come, stop and die share the partitions, and none of them is worked on twice at a time.</summary>
public sealed class BalanceTests
{
    [Fact]
    [Promise("G1")]
    public async Task Nodes_that_start_have_fair_shares_and_know_of_each_other()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work);
        var b = await cluster.StartPartitionNodeAsync("b", work);
        var c = await cluster.StartPartitionNodeAsync("c", work);
        await cluster.SharedAsync(work, (a, 4), (b, 4), (c, 4));
        Assert.Empty(work.Wrongs);
        Assert.Equal([a.NodeId, b.NodeId, c.NodeId], b.Partitions.Members.Select(static member => member.NodeId));
        Assert.Equal((4, 12, SharedService.LockName), (b.Partitions.Share, b.Partitions.PartitionCount, b.Partitions.LockName));
        Assert.Equal(4, b.Partitions.Led.Count);
        Assert.All(b.Partitions.Led, led =>
        {
            Assert.Equal(b.NodeId, work.NodeOf(led.Partition));
            Assert.Equal(b.NodeId, a.Partitions.FindNode(led.Partition));
            Assert.Equal(led.FencingToken, work.Terms.Last(term => term.Partition == led.Partition).Token);
        });
    }

    [Fact]
    [Promise("G14")]
    public async Task A_node_that_comes_is_given_its_share_and_little_else_moves()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work, partitions: 60);
        var b = await cluster.StartPartitionNodeAsync("b", work, partitions: 60);
        await cluster.SharedAsync(work, (a, 30), (b, 30));
        var before = work.Terms.Count;
        var c = await cluster.StartPartitionNodeAsync("c", work, partitions: 60);
        await cluster.SharedAsync(work, (a, 20), (b, 20), (c, 20));
        Assert.Empty(work.Wrongs);
        Assert.InRange(work.Terms.Count - before, 20, 32);
        Assert.DoesNotContain(a.Log.Concat(b.Log).Concat(c.Log), static record => record.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Fact]
    [Promise("G10")]
    public async Task A_partition_passes_on_when_its_work_has_returned_and_not_before()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var told = 0;
        var gate = new TaskCompletionSource();
        for (var i = 0; i < 12; i++)
        {
            work.Do[$"{i}"] = async (_, stoppingToken) =>
            {
                await Task.Delay(Timeout.Infinite, stoppingToken).ContinueWith(static _ => { }, TaskScheduler.Default);
                Interlocked.Increment(ref told);
                await gate.Task;
            };
        }

        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        var b = await cluster.StartPartitionNodeAsync("b", work);
        await cluster.PassUntilAsync(work, () => Volatile.Read(ref told) == 6, TimeSpan.FromMinutes(1), "half of the work is told to stop");
        await cluster.PassAsync(work, 5 * PartitionNode.BalanceInterval);
        Assert.Equal((12, 0), (work.RunningOn(a.NodeId), work.RunningOn(b.NodeId)));

        gate.SetResult();
        await cluster.SharedAsync(work, (a, 6), (b, 6));
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    [Promise("G10")]
    public async Task A_node_that_stops_tells_all_work_at_once_and_releases_when_it_has_returned()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (told, gate) = (0, new TaskCompletionSource());
        for (var i = 0; i < 12; i++)
        {
            work.Do[$"{i}"] = async (_, stoppingToken) =>
            {
                // One that blocks in a callback on its token keeps no other one from being told.
                using var blocking = stoppingToken.Register(() =>
                {
                    Interlocked.Increment(ref told);
                    gate.Task.Wait();
                });
                await gate.Task;
            };
        }

        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        var stopping = a.StopAsync();
        await Cluster.UntilAsync(() => Volatile.Read(ref told) == 12, "all work is told to stop");
        var b = await cluster.StartPartitionNodeAsync("b", work);
        await cluster.PassAsync(work, 3 * PartitionNode.BalanceInterval);
        Assert.False(stopping.IsCompleted);
        Assert.Equal((12, 0), (work.RunningOn(a.NodeId), work.RunningOn(b.NodeId)));

        work.Do.Clear();
        gate.SetResult();
        await cluster.SharedAsync(work, (b, 12));
        await stopping;
        Assert.Empty(work.Wrongs);
        Assert.Equal([b.NodeId], b.Partitions.Members.Select(static member => member.NodeId));
        Assert.Equal(0, a.Logged(1263));
    }

    [Fact]
    [Promise("G4")]
    public async Task The_share_of_a_node_that_died_is_led_elsewhere_when_its_leases_have_run_out()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);

        // Its calls fail from now on, so that it renews nothing: its work is told by its own clock.
        (b.Store.Fault, work.Away) = (StoreWithFaults.Away, b.NodeId);
        var at = cluster.Time.GetUtcNow();
        await cluster.SharedAsync(work, (a, 12));
        Assert.InRange(cluster.Time.GetUtcNow() - at, Cluster.LeaseDuration / 2, Cluster.LeaseDuration + TimeSpan.FromSeconds(6));
        Assert.Empty(work.Wrongs);

        (b.Store.Fault, work.Away) = (null, null);
        await cluster.SharedAsync(work, (a, 6), (b, 6));
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    public async Task A_node_leads_no_more_partitions_than_it_may_at_any_time()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work, configure: static options => options.MaxPerNode = 5);
        await cluster.SharedAsync(work, (a, 5));
        Assert.Equal(5, a.Partitions.Share);
        var b = await cluster.StartPartitionNodeAsync("b", work, configure: static options => options.MaxPerNode = 5);
        await cluster.SharedAsync(work, (a, 5), (b, 5));
        var c = await cluster.StartPartitionNodeAsync("c", work, configure: static options => options.MaxPerNode = 5);
        await cluster.SharedAsync(work, (a, 4), (b, 4), (c, 4));
        Assert.Empty(work.Wrongs);
        Assert.Equal([5, 5, 4], new[] { a, b, c }.Select(node => work.Most[node.NodeId]));
    }

    [Fact]
    public async Task Each_node_counts_on_the_most_that_the_others_lead_by_their_own_word()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work, configure: static options => options.MaxPerNode = 2);
        var b = await cluster.StartPartitionNodeAsync("b", work);
        await cluster.SharedAsync(work, (a, 2), (b, 10));
        Assert.Equal([2, null], b.Partitions.Members.Select(static member => member.MaxPartitions));
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    public async Task What_nobody_waits_for_is_not_given_away()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var names = new PartitionNames { Now = [.. Enumerable.Range(0, 12).Select(static number => $"{number}")] };
        var a = await cluster.StartPartitionNodeAsync("a", work, names: names);
        await cluster.SharedAsync(work, (a, 12));

        // It takes part, and knows of another partition alone: what would be its share is led on by who leads it.
        var b = await cluster.StartPartitionNodeAsync("b", work, names: new PartitionNames { Now = ["elsewhere"] });
        await cluster.PassUntilAsync(work, () => a.Partitions.Share == 6, TimeSpan.FromMinutes(1), "a sees b");
        await cluster.PassAsync(work, 10 * PartitionNode.BalanceInterval);
        Assert.Equal(12, work.RunningOn(a.NodeId));
        Assert.All(work.Terms, term => Assert.Equal((1, term.Partition == "elsewhere"), (work.Terms.Count(other => other.Partition == term.Partition), term.Node == b.NodeId)));
    }

    [Fact]
    [Failure("F65")]
    public async Task A_node_that_cannot_name_the_partitions_takes_no_part_until_it_can()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var names = new PartitionNames { Fault = new TimeoutException("The database is away.") };
        var b = await cluster.StartPartitionNodeAsync("b", work, names: names);
        await cluster.PassUntilAsync(work, () => b.Logged(1266) == 1, TimeSpan.FromMinutes(1), "b says that it knows of no partition");

        // What would be its share is led by the other.
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12), (b, 0));
        await cluster.PassAsync(work, 5 * PartitionNode.BalanceInterval);
        Assert.Equal((12, 1, 0), (work.RunningOn(a.NodeId), b.Logged(1266), b.Logged(1260)));
        names.Fault = null;
        await cluster.SharedAsync(work, (a, 6), (b, 6));
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    public async Task Nodes_that_start_together_begin_each_partition_once()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var nodes = new List<TestNode>();
        foreach (var name in new[] { "a", "b", "c" })
        {
            nodes.Add(await cluster.StartPartitionNodeAsync(name, work, partitions: 60));
            await Cluster.UntilAsync(() => nodes[^1].Logged(1260) == 1, "it takes part");
            await cluster.AdvanceAsync(PartitionNode.BalanceInterval / 2);
        }

        await cluster.SharedAsync(work, [.. nodes.Select(static node => (node, 20))]);
        Assert.Equal(60, work.Terms.Count);
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    public void Nodes_that_come_one_after_the_other_keep_nobody_waiting_for_long()
    {
        var time = new FakeTimeProvider();
        var settling = new PartitionSettling(PartitionNode.BalanceInterval, time);
        List<PartitionMember> members = [];
        var waited = new List<bool>();
        for (var i = 0; i < 8; i++)
        {
            members.Add(new PartitionMember { NodeId = $"{i}", Since = default });
            waited.Add(settling.See([.. members]) > TimeSpan.Zero);
            time.Advance(PartitionNode.BalanceInterval / 2);
        }

        Assert.Equal([true, true, true, true, true, true, false, false], waited);
        time.Advance(PartitionNode.BalanceInterval / 2);
        Assert.True(settling.See([.. members]) <= TimeSpan.Zero);
        Assert.True(settling.See([.. members.Skip(1)]) <= TimeSpan.Zero);
        Assert.Equal(PartitionNode.BalanceInterval, settling.See([.. members]));
    }

    [Fact]
    [Promise("G1", "G10")]
    public async Task A_node_that_stops_works_on_until_the_next_one_waits_for_its_partitions()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);

        // The clock stands still, and nobody looks: it goes on. When b has looked, everything passes with no tick of the clock between.
        var stopping = a.StopAsync();
        await Cluster.UntilAsync(() => !a.Partitions.Members.Any() || Members(cluster) == 1, "a is no member");
        Assert.Equal(6, work.RunningOn(a.NodeId));
        await cluster.PassUntilAsync(work, () => stopping.IsCompleted, TimeSpan.FromSeconds(3), "a has stopped");
        await Cluster.UntilAsync(() => work.RunningOn(b.NodeId) == 12, "b has been passed all");
        Assert.Equal((18, 0), (work.Terms.Count, a.Logged(1263)));
        Assert.Empty(work.Wrongs);
    }

    private static int Members(Cluster cluster) => cluster.Store.InspectAsync($"{SharedService.LockName}/members", 0, CancellationToken.None).Result.Holders.Count;
}
