using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>What goes wrong in one partition, or with the store, and what does not follow from it.</summary>
public sealed class PartitionFaultTests
{
    [Fact]
    public async Task A_partition_whose_work_throws_is_begun_again_later_and_no_other_one_is()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        work.Do["3"] = static (_, _) => throw new InvalidOperationException("poison");
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.PassUntilAsync(work, () => a.Logged(1270) >= 3, TimeSpan.FromMinutes(1), "it has failed three times");
        var times = a.TimesOf(1270);
        Assert.True(times[1] - times[0] >= TimeSpan.FromSeconds(1) && times[2] - times[1] >= TimeSpan.FromSeconds(2), $"It failed at {string.Join(", ", times)}.");
        Assert.Equal(11, work.Running);
        Assert.All(work.Terms.Where(static term => term.Partition != "3").GroupBy(static term => term.Partition), static terms => Assert.Single(terms));

        work.Do.Clear();
        await cluster.SharedAsync(work, (a, 12));
    }

    [Fact]
    [Promise("G12")]
    public async Task An_outage_ends_no_work_before_its_lease_does_and_fills_no_log()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        (a.Store.Fault, work.Away) = (StoreWithFaults.Away, a.NodeId);
        await cluster.PassAsync(work, Cluster.LeaseDuration / 3);
        Assert.Equal((12, 12), (work.RunningOn(a.NodeId), work.Terms.Count));

        await cluster.PassUntilAsync(work, () => work.Running == 0, TimeSpan.FromMinutes(1), "all leases have run out");
        await cluster.PassUntilAsync(work, () => a.Logged(1262) > 0 || a.Logged(1264) > 0 || a.Logged(1263) > 0, TimeSpan.FromMinutes(2), "it is said");
        await cluster.PassAsync(work, 3 * Cluster.LeaseDuration);
        var lines = a.Log.Where(static record => record.Level >= LogLevel.Warning && record.Category!.Contains("Partitioned", StringComparison.Ordinal)).Select(static record => record.Message).ToList();
        Assert.True(lines.Count <= 4, string.Join('\n', lines));

        (a.Store.Fault, work.Away) = (null, null);
        await cluster.SharedAsync(work, (a, 12));
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    public async Task A_lost_membership_ends_no_work()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        cluster.Store.Delete($"{SharedService.LockName}/members");
        await cluster.PassUntilAsync(work, () => a.Logged(1263) == 1 && a.Logged(1260) == 2, TimeSpan.FromMinutes(1), "it takes part again");
        Assert.Equal((12, 12), (work.RunningOn(a.NodeId), work.Terms.Count));
    }

    [Fact]
    public async Task Partitions_come_and_go_with_their_names()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var names = new PartitionNames { Now = ["north", "south", "members"] };
        var a = await cluster.StartPartitionNodeAsync("a", work, partitions: null, names: names);
        await cluster.SharedAsync(work, (a, 3));

        names.Now = ["north", "east", "west", "west", "members"];
        await cluster.PassUntilAsync(work, () => work.NodeOf("east") is not null && work.NodeOf("west") is not null && work.NodeOf("south") is null, TimeSpan.FromMinutes(2), "the names have changed");
        await Cluster.UntilAsync(() => a.Partitions.Led.Select(static led => led.Partition).SequenceEqual(["east", "members", "north", "west"]), "it leads those, and south no more");
        Assert.Single(work.Terms, static term => term.Partition == "north");

        // What throws changes nothing, and is said once.
        names.Fault = new TimeoutException("The database is away.");
        await cluster.PassUntilAsync(work, () => a.Logged(1266) == 1, TimeSpan.FromMinutes(2), "it says that it cannot list");
        await cluster.PassAsync(work, TimeSpan.FromMinutes(2));
        Assert.Equal((4, 1), (work.Running, a.Logged(1266)));
        names.Fault = null;
        await cluster.PassUntilAsync(work, () => a.Logged(1267) == 1, TimeSpan.FromMinutes(2), "it lists again");
    }

    [Fact]
    [Promise("G10")]
    public async Task A_node_that_stops_while_it_waits_leaves_all_queues()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var gate = new TaskCompletionSource();
        for (var i = 0; i < 12; i++)
        {
            work.Do[$"{i}"] = (_, _) => gate.Task;
        }

        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        var b = await cluster.StartPartitionNodeAsync("b", work);
        await cluster.PassUntilAsync(work, () => b.Partitions.Share == 6, TimeSpan.FromMinutes(1), "b has a share");
        var wanted = Enumerable.Range(0, 12).Select(static number => $"{number}").Where(name => b.Partitions.FindNode(name) == b.NodeId).Select(static name => $"{SharedService.LockName}/{name}").ToList();
        await cluster.PassUntilAsync(work, () => wanted.TrueForAll(name => Waiters(cluster, name) == 1), TimeSpan.FromMinutes(1), "b waits for its share");
        await b.StopAsync();
        Assert.All(wanted, name => Assert.Equal(0, Waiters(cluster, name)));
        Assert.Equal(0, work.RunningOn(b.NodeId));
        gate.SetResult();
    }

    [Fact]
    public async Task Health_and_phase_tell_of_partitions_in_sum()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        work.Do["3"] = static (_, _) => throw new InvalidOperationException("poison");
        var node = cluster.CreateNode("a", services =>
        {
            services.AddSingleton(work).AddSingleton(new PartitionNames());
            services.AddPartitionedBackgroundService<SharedService>(static options => options.Partitions = 12);
            services.AddHealthChecks().AddCoordinationHealthCheck();
        });
        Assert.Equal(HealthStatus.Degraded, (await node.CheckHealthAsync()).Status);
        await node.Host.StartAsync(TestContext.Current.CancellationToken);
        await cluster.SharedAsync(work, (node, 11));
        await Cluster.UntilAsync(() => node.Partitions.Led.Count == 11, "the lock of the one that failed is released");
        var healthy = (await node.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal((HealthStatus.Healthy, $"Leads 11 of 12 partitions of '{SharedService.LockName}'."), (healthy.Status, healthy.Description));
        await cluster.PassUntilAsync(work, () => node.Logged(1270) >= 3, TimeSpan.FromMinutes(1), "it has failed three times");
        var entry = (await node.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains($"{SharedService.LockName}/3", entry.Description, StringComparison.Ordinal);
        var data = Assert.IsType<IReadOnlyDictionary<string, object>>(((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)entry.Data["locks"])[SharedService.LockName], exactMatch: false);
        Assert.Equal((11, 12, 12, 1, 1), (data["led"], data["share"], data["partitions"], data["members"], data["failing"]));
    }

    [Fact]
    [Promise("G2")]
    [Failure("F24")]
    public async Task A_partition_whose_work_hangs_loses_its_lease_and_no_other_one_does()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work, configure: static options => options.ProgressTimeout = TimeSpan.FromSeconds(20));
        await cluster.SharedAsync(work, (a, 12));
        var terms = work.Now.Keys.ToList();
        var hung = terms.Single(static term => term.Partition == "3");
        terms.Remove(hung);
        for (var i = 0; i < 12 && hung.LossReason is null; i++)
        {
            terms.ForEach(static term => term.ReportProgress());
            await cluster.AdvanceAsync(TimeSpan.FromSeconds(10), [.. terms]);
        }

        Assert.Equal(LeaseLossReason.NoProgress, hung.LossReason);
        Assert.All(terms, static term => Assert.Equal(LeaseState.Held, term.State));
        Assert.Equal((0, 1), (a.Logged(1263), a.Logged(1260)));
    }

    private static long Waiters(Cluster cluster, string lockName) => cluster.Store.InspectAsync(lockName, 10, CancellationToken.None).Result.WaiterCount;
}
