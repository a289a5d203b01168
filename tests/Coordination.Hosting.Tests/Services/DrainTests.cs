using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Services;

/// <summary>A node that is taken out of service while its process runs.</summary>
public sealed class DrainTests
{
    private const int PassesOverLine = 1255;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G10", "G14")]
    [Failure("F21")]
    public async Task A_drain_gives_away_what_the_node_leads_one_after_the_other()
    {
        await using var cluster = new Cluster();
        var (a, work) = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => work.Events.Count == 2, "a leads in both");
        var (b, workOfB) = await StartAsync(cluster, "b");
        await Cluster.UntilAsync(() => b.Store.IsQueued && b.Store.Calls == 2, "b stands by for both");

        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        var draining = drain.DrainAsync(Token);
        await Cluster.UntilAsync(() => work.Events.Contains("north told"), "the first is told");
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal((true, false, false), (drain.IsRequested, drain.IsDrained, draining.IsCompleted));
        Assert.DoesNotContain("south told", work.Events);
        Assert.Empty(workOfB.Events);

        work.LetGo("north").SetResult();
        await Cluster.UntilAsync(() => workOfB.Events.Contains("north works") && work.Events.Contains("south told"), "the first has passed, and the second is told");
        Assert.DoesNotContain("south works", workOfB.Events);
        work.LetGo("south").SetResult();
        await draining.WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.True(drain.IsDrained);
        await Cluster.UntilAsync(() => workOfB.Events.Contains("south works"), "the second has passed");
        await Cluster.UntilAsync(() => a.Logged(1244) == 2, "a says that it stays away");
        AssertQuiet(a);
        LetGo(workOfB);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F24")]
    public async Task Work_that_hangs_after_its_lease_was_lost_holds_up_no_drain()
    {
        await using var cluster = new Cluster();
        var (a, work) = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => work.Events.Count == 2, "a leads in both");
        cluster.Store.Delete(work.Terms["north"].LockName);
        await cluster.AdvanceUntilAsync(() => work.Events.Contains("north told"), Cluster.LeaseDuration, "a has lost the first", keep: work.Terms["south"]);

        // The clock stands still.
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        var draining = drain.DrainAsync(Token);
        await Cluster.UntilAsync(() => work.Events.Contains("south told"), "the second is told");
        work.LetGo("south").SetResult();
        await draining.WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.True(drain.IsDrained);
        Assert.DoesNotContain("north returned", work.Events);
        Assert.Equal(0, a.Logged(PassesOverLine));
        LetGo(work);
    }

    [Fact]
    [Promise("G10", "G14")]
    [Failure("F24")]
    public async Task Work_that_does_not_return_holds_up_a_drain_for_a_minute_and_keeps_its_own_lock()
    {
        await using var cluster = new Cluster();
        var (a, work) = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => work.Events.Count == 2, "a leads in both");
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        var draining = drain.DrainAsync(Token);
        await Cluster.UntilAsync(() => work.Events.Contains("north told"), "the first is told");
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(59), [.. work.Terms.Values]);
        Assert.DoesNotContain("south told", work.Events);
        await cluster.AdvanceUntilAsync(() => work.Events.Contains("south told"), TimeSpan.FromSeconds(10), "the second is told", keep: [.. work.Terms.Values]);
        work.LetGo("south").SetResult();
        await Cluster.UntilAsync(() => work.Terms["south"].State == LeaseState.Released, "the second is given away");
        Assert.Equal((false, false, 1, LeaseState.Held), (draining.IsCompleted, drain.IsDrained, a.Logged(PassesOverLine), work.Terms["north"].State));
        Assert.Contains(work.Terms["north"].LockName, a.Log.Single(static record => record.Id.Id == PassesOverLine).Message, StringComparison.Ordinal);

        work.LetGo("north").SetResult();
        await draining.WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.True(drain.IsDrained);
    }

    [Fact]
    [Failure("F24")]
    public async Task A_run_of_a_slot_that_lost_its_lease_holds_up_no_drain()
    {
        await using var cluster = new Cluster();
        var letGo = new TaskCompletionSource();
        var (a, runs) = await PeriodicNode.StartAsync(cluster, "a", work: (_, _) => letGo.Task);
        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs the first slot");
        cluster.Store.Delete(CountingService.LockName);
        await cluster.AdvanceUntilAsync(() => runs.All.First().Lease.State == LeaseState.Lost, Cluster.LeaseDuration, "the lease is lost");
        await a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token).WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.False(letGo.Task.IsCompleted);
        letGo.SetResult();
    }

    [Fact]
    [Promise("G14")]
    [Failure("F65")]
    public async Task A_drained_node_is_healthy_and_ready_and_says_that_it_is_drained()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: static s => s.AddHealthChecks().AddCoordinationHealthCheck().AddCoordinationReadyCheck());
        await a.LeadsAsync();
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        await drain.DrainAsync(Token).WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
        var health = await a.CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, health.Status);
        var entry = health.Entries["coordination"];
        Assert.Contains("is drained", entry.Description, StringComparison.Ordinal);
        Assert.Equal(true, entry.Data["drained"]);

        drain.Resume();
        await Cluster.UntilAsync(() => a.Work.Terms == 2, "a leads again");
        Assert.False(drain.IsRequested);
        Assert.DoesNotContain("drain", (await a.CheckHealthAsync()).Entries["coordination"].Description, StringComparison.Ordinal);
        AssertQuiet(a);
    }

    [Fact]
    [Promise("G14")]
    public async Task The_configuration_drains_a_node_and_resumes_it_and_what_was_said_last_counts()
    {
        await using var cluster = new Cluster();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Coordination:Drain", "true")]).Build();
        var a = await cluster.StartNodeAsync("a", services: s => s.AddSingleton<IConfiguration>(configuration));
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        await Cluster.UntilAsync(() => drain.IsDrained && a.Logged(1244) == 1, "a is drained from the start");
        Assert.Equal(0, a.Store.Tries);
        Assert.Equal(0, a.Logged(1031));

        Set("false");
        await a.LeadsAsync();
        Set("true");
        await Cluster.UntilAsync(() => drain.IsDrained, "a is drained");
        drain.Resume();
        await Cluster.UntilAsync(() => a.Work.Terms == 2, "a leads again");

        // Nothing new.
        Set("true");
        Assert.False(drain.IsRequested);
        Set("perhaps");
        Assert.Equal((1, false), (a.Logged(1248), drain.IsRequested));

        void Set(string value)
        {
            configuration["Coordination:Drain"] = value;
            configuration.Reload();
        }
    }

    [Fact]
    [Promise("G11")]
    [Failure("F75")]
    public async Task No_slot_of_a_periodic_service_begins_on_a_drained_node_and_a_run_goes_to_its_end()
    {
        await using var cluster = new Cluster();
        var letGo = new TaskCompletionSource();
        var (a, runs) = await PeriodicNode.StartAsync(cluster, "a", work: (_, _) => letGo.Task);
        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs the first slot");
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        var draining = drain.DrainAsync(Token);
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(5), runs.All.First().Lease);
        Assert.Equal((false, false), (runs.Told, draining.IsCompleted));
        letGo.SetResult();
        await draining.WaitAsync(TimeSpan.FromMinutes(1), Token);

        await PeriodicNode.PassAsync(cluster, 2 * PeriodicNode.Interval);
        Assert.Single(runs.All);
        drain.Resume();
        await Cluster.UntilAsync(() => runs.All.Count == 2, "a runs the current slot");
        AssertQuiet(a);
    }

    [Fact]
    [Promise("G11")]
    [Failure("F75")]
    public async Task A_node_that_waits_for_the_run_of_another_stops_to_wait_when_it_is_drained()
    {
        await using var cluster = new Cluster();
        var letGo = new TaskCompletionSource();
        var (_, runs) = await PeriodicNode.StartAsync(cluster, "a", work: (_, _) => letGo.Task);
        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs the first slot");
        var (b, _) = await PeriodicNode.StartAsync(cluster, "b");
        await PeriodicNode.IsWaitedForAsync(cluster);
        await b.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token).WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.Equal(0, (await cluster.Store.InspectAsync(CountingService.LockName, 10, Token)).WaiterCount);
        letGo.SetResult();
        AssertQuiet(b);
    }

    [Fact]
    [Promise("G14")]
    public async Task Several_leaders_drain_each_their_own_node()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.Instances = 2);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", o => o.Instances = 2);
        await b.LeadsAsync();
        var c = await cluster.StartNodeAsync("c", o => o.Instances = 2);
        await Cluster.UntilAsync(() => c.Store.IsQueued, "c stands by");
        await a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token).WaitAsync(TimeSpan.FromMinutes(1), Token);
        await c.LeadsAsync();
        Assert.Equal((false, true, 0), (a.Leadership.IsLeader, b.Leadership.IsLeader, c.Work.Term.Instance));
    }

    [Fact]
    [Promise("G10")]
    [Failure("F22")]
    public async Task A_drain_that_nobody_waits_for_any_more_goes_on_and_a_resumed_one_is_cancelled()
    {
        await using var cluster = new Cluster();
        var (a, work) = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => work.Events.Count == 2, "a leads in both");
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        using var giveUp = new CancellationTokenSource();
        var first = drain.DrainAsync(giveUp.Token);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Cluster.UntilAsync(() => work.Events.Contains("north told"), "the drain goes on");

        var second = drain.DrainAsync(Token);
        drain.Resume();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        work.LetGo("north").SetResult();
        await Cluster.UntilAsync(() => work.Events.Count(text => text == "north works") == 2, "a leads again in what it had been told to give away");
        Assert.DoesNotContain("south told", work.Events);
        LetGo(work);
    }

    private static async Task<(TestNode Node, NamedWork Work)> StartAsync(Cluster cluster, string name)
    {
        var work = new NamedWork();
        var node = cluster.CreateNode(name, s => s.AddSingleton(work).AddExclusiveBackgroundService<NamedService>("north").AddExclusiveBackgroundService<NamedService>("south"));
        await node.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => node.Contends, "the node contends");
        return (node, work);
    }

    private static void LetGo(NamedWork work)
    {
        work.LetGo("north").TrySetResult();
        work.LetGo("south").TrySetResult();
    }

    private static void AssertQuiet(TestNode node) => Assert.DoesNotContain(node.Log, record => record.Level >= LogLevel.Warning);
}
