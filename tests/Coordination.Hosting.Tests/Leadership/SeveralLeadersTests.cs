using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Coordination.Hosting.Tests.Leadership;

/// <summary>Asking who lead, where several do.</summary>
public sealed class SeveralLeadersTests
{
    private const int Instances = 3;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F89")]
    public async Task Leaders_standbys_and_others_know_all_who_lead()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster);
        var front = cluster.CreateNode("front", services => services.AddLeadership(WorkingService.LockName));
        await front.Host.StartAsync(Token);
        var asked = front.Host.Services.GetRequiredKeyedService<ILeadership>(WorkingService.LockName);
        var leaders = nodes[..3].Select(node => (node.NodeId, node.Work.Term.FencingToken, node.Work.Term.Instance)).ToList();
        foreach (var leadership in nodes.Select(node => node.Leadership).Append(asked))
        {
            Assert.Equal(leaders, Names(await leadership.GetLeadersAsync(Token)));
            await Cluster.UntilAsync(() => leadership.Leaders.Count == Instances, "it knows all of them");
            Assert.Equal(leaders, Names(leadership.Leaders));
        }

        Assert.All(nodes[..3], node => Assert.Equal((true, node.NodeId), (node.Leadership.IsLeader, node.Leadership.Leader?.NodeId)));
        Assert.Equal((false, nodes[0].NodeId), (nodes[3].Leadership.IsLeader, nodes[3].Leadership.Leader?.NodeId));
        Assert.Equal((nodes[1].NodeId, nodes[0].NodeId), ((await nodes[1].Leadership.GetLeaderAsync(Token))?.NodeId, (await asked.GetLeaderAsync(Token))?.NodeId));
    }

    [Fact]
    [Failure("F89")]
    public async Task Leaders_standbys_and_others_see_each_leader_come_and_go()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster);
        var (a, b, c, d) = (nodes[0], nodes[1], nodes[2], nodes[3]);
        var e = await cluster.StartNodeAsync("e", o => o.Instances = Instances);
        await e.StandsByAsync();
        var front = cluster.CreateNode("front", services => services.AddLeadership(WorkingService.LockName));
        await front.Host.StartAsync(Token);
        var watches = new[] { Watch(a.Leadership), Watch(e.Leadership), Watch(front.Host.Services.GetRequiredKeyedService<ILeadership>(WorkingService.LockName)) };
        await SeeAsync(a, b, c);

        await b.StopAsync();
        await d.LeadsAsync();
        await SeeAsync(a, d, c);
        Assert.All(watches, seen => Assert.Equal(LeadershipChangeCause.LeaderSeen, seen.Last().Cause));

        await e.StopAsync();
        await c.StopAsync();
        await SeeAsync(a, d);
        Assert.Equal([LeadershipChangeCause.LeaderGone, LeadershipChangeCause.HostStopped, LeadershipChangeCause.LeaderGone], watches.Select(seen => seen.Last().Cause));
        Assert.All(watches[0], change => Assert.Equal((true, a.NodeId), (change.IsLeader, change.Leader?.NodeId)));

        async Task SeeAsync(params TestNode[] leaders)
        {
            var expected = leaders.Select(node => node.NodeId).ToList();
            await cluster.AdvanceUntilAsync(
                () => watches.All(seen => seen.LastOrDefault() is { } last && (last.Cause == LeadershipChangeCause.HostStopped || last.Leaders.Select(leader => leader.NodeId).SequenceEqual(expected))),
                TimeSpan.FromSeconds(30),
                $"all see {string.Join(", ", expected)} lead",
                keep: [.. leaders.Select(node => node.Work.Term)]);
        }
    }

    [Fact]
    [Failure("F89")]
    public async Task A_crashed_leader_counts_no_longer_than_its_lease_for_those_who_watch()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster, "a", "b", "c");
        var seen = Watch(nodes[0].Leadership);
        await cluster.AdvanceUntilAsync(() => seen.LastOrDefault()?.Leaders.Count == 3, TimeSpan.FromSeconds(10), "a sees three", keep: Terms(nodes));
        nodes[2].Store.Fault = StoreWithFaults.Away;
        var crashed = cluster.Time.GetUtcNow();
        await cluster.AdvanceUntilAsync(() => seen.Last().Leaders.Count == 2, TimeSpan.FromSeconds(30), "a sees two", keep: Terms(nodes[..2]));
        Assert.Equal((LeadershipChangeCause.LeaderGone, true), (seen.Last().Cause, seen.Last().IsLeader));
        Assert.InRange(seen.Last().At - crashed, TimeSpan.Zero, Cluster.LeaseDuration + TimeSpan.FromSeconds(3.5));
    }

    [Fact]
    [Failure("F89")]
    public async Task Who_led_before_this_node_did_is_no_leader_after_it()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster);
        var d = nodes[3];
        await d.Leadership.GetLeadersAsync(Token);
        await nodes[1].StopAsync();
        await d.LeadsAsync();
        d.Work.Term.StepDown(TimeSpan.FromMinutes(1));
        await Cluster.UntilAsync(() => !d.Leadership.IsLeader, "d has stepped down");

        // The clock stands still: what it saw counts still, but for the place that it took.
        Assert.Equal([nodes[0].NodeId, nodes[2].NodeId], d.Leadership.Leaders.Select(leader => leader.NodeId));
    }

    [Fact]
    [Failure("F89")]
    public async Task The_log_of_a_standby_names_each_leader_once()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster);
        await cluster.AdvanceAsync(6 * Cluster.LeaseDuration, Terms(nodes[..3]));
        Assert.InRange(nodes[3].Logged(1208), 1, 3);
        Assert.Equal(0, nodes[0].Store.Questions + nodes[3].Store.Questions);
    }

    [Fact]
    [Failure("F89")]
    public async Task The_log_of_a_new_leader_says_whom_it_follows_in_its_instance()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster);
        await nodes[3].Leadership.GetLeadersAsync(Token);
        await nodes[1].StopAsync();
        await nodes[3].LeadsAsync();
        var line = nodes[3].Log.Single(record => record.Id.Id == 1218).Message;
        Assert.Contains($"follows node {nodes[1].NodeId}, token {nodes[1].Work.Term.FencingToken}", line, StringComparison.Ordinal);
        Assert.EndsWith("it was released, or revoked.", line, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F58")]
    public async Task Health_checks_name_all_leaders()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster);
        foreach (var node in nodes)
        {
            var report = await node.CheckHealthAsync();
            var (entry, isLeader) = (report.Entries["coordination"], node != nodes[3]);
            Assert.Equal(HealthStatus.Healthy, entry.Status);
            Assert.Equal($"Leads {(isLeader ? 1 : 0)} of 1. '{WorkingService.LockName}' is led by 3 of 3 nodes.", entry.Description);
            var data = ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)entry.Data["locks"])[WorkingService.LockName];
            Assert.Equal((isLeader ? "leader" : "standby", 3), ((string)data["role"], (int)data["instances"]));
            var leaders = Assert.IsAssignableFrom<IEnumerable<IReadOnlyDictionary<string, object>>>(data["leaders"]);
            Assert.Equal(nodes[..3].Select(leader => (leader.Work.Term.Instance, leader.NodeId)), leaders.Select(leader => ((int)leader["instance"], (string)leader["nodeId"])));
            Assert.Equal(isLeader ? HealthStatus.Healthy : HealthStatus.Unhealthy, report.Entries["coordination-leader:WorkingService"].Status);
        }

        var others = (await nodes[3].CheckHealthAsync()).Entries["coordination-leader:WorkingService"].Description;
        Assert.Equal($"'{WorkingService.LockName}' is led by {string.Join(", ", nodes[..3].Select(node => node.NodeId))}.", others);
        nodes[0].Store.Fault = StoreWithFaults.Away;
        // Its renewals fail, and it is lost at four fifths.
        await cluster.AdvanceUntilAsync(() => nodes[0].Work.Term.State == LeaseState.InDoubt, Cluster.LeaseDuration * 2 / 3, "the lease is in doubt", keep: Terms(nodes[1..3]));
        Assert.Equal(HealthStatus.Degraded, (await nodes[0].CheckHealthAsync()).Entries["coordination"].Status);
    }

    [Fact]
    [Failure("F85")]
    public async Task Metrics_say_how_many_may_lead_and_whether_this_node_does()
    {
        await using var cluster = new Cluster();
        var nodes = await StartAsync(cluster);
        Assert.Equal([1, 1, 1, 0], nodes.Select(node => Gauge(node, "leader")));
        Assert.Equal([3, 3, 3, 3], nodes.Select(node => Gauge(node, "instances")));
    }

    private static int Gauge(TestNode node, string name)
    {
        using var gauge = new MetricCollector<int>(node.Host.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, $"coordination.leadership.{name}");
        gauge.RecordObservableInstruments();
        return gauge.GetMeasurementSnapshot().Single().Value;
    }

    private static IEnumerable<(string NodeId, long FencingToken, int Instance)> Names(IEnumerable<LeaderInfo> leaders) =>
        leaders.Select(leader => (leader.NodeId, leader.FencingToken, leader.Instance));

    private static ILease[] Terms(IEnumerable<TestNode> nodes) => [.. nodes.Select(node => node.Work.Term)];

    /// <summary>Starts nodes of which the first three lead.</summary>
    private static async Task<TestNode[]> StartAsync(Cluster cluster, params string[] names)
    {
        var nodes = new List<TestNode>();
        foreach (var name in names is [] ? ["a", "b", "c", "d"] : names)
        {
            var node = await cluster.StartNodeAsync(name, o => o.Instances = Instances, services => services.AddHealthChecks().AddCoordinationHealthCheck().AddCoordinationLeaderCheck<WorkingService>());
            await (nodes.Count < Instances ? node.LeadsAsync() : Cluster.UntilAsync(() => node.Store.IsQueued, "the node stands by"));
            nodes.Add(node);
        }

        return [.. nodes];
    }

    private static ConcurrentQueue<LeadershipChange> Watch(ILeadership leadership)
    {
        var seen = new ConcurrentQueue<LeadershipChange>();
        _ = Task.Run(async () =>
        {
            await foreach (var change in leadership.WatchAsync(Token))
            {
                seen.Enqueue(change);
            }
        });
        return seen;
    }
}
