using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Health;

/// <summary>What health checks say of periodic services, and of work that is run once.</summary>
[Failure("F65")]
public sealed class RunHealthTests
{
    private static readonly TimeSpan Interval = PeriodicNode.Interval;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_whose_runs_fail_is_degraded_then_unhealthy_and_recovers()
    {
        await using var cluster = new Cluster();
        var (a, runs) = await PeriodicNode.StartAsync(
            cluster, "a", o => (o.DegradedAfterFailures, o.UnhealthyAfterFailures) = (2, 4), (_, _) => throw new TimeoutException("password=hunter2"), Checked);
        HealthStatus[] expected = [HealthStatus.Healthy, HealthStatus.Degraded, HealthStatus.Degraded, HealthStatus.Unhealthy];
        for (var failures = 1; failures <= 4; failures++)
        {
            await Cluster.UntilAsync(() => a.Logged(1222) == failures && Failures(a) == failures, $"it has failed {failures} times");
            Assert.Equal(expected[failures - 1], Check(a, "coordination").Status);
            Assert.Equal(expected[failures - 1], Check(a, "coordination:CountingService").Status);
            await PeriodicNode.PassAsync(cluster, Interval);
        }

        var entry = Check(a, "coordination");
        Assert.Contains(nameof(TimeoutException), entry.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", entry.Description, StringComparison.Ordinal);

        await Cluster.UntilAsync(() => a.Logged(1222) == 5, "the fifth run has failed");
        runs.Do = (_, _) => Task.CompletedTask;
        await PeriodicNode.PassAsync(cluster, Interval);
        await Cluster.UntilAsync(() => Failures(a) == 0, "a run went well");
        Assert.Equal(HealthStatus.Healthy, Check(a, "coordination").Status);
    }

    /// <summary>Runs fall to one node and another, and each knows what the others knew when they began theirs: of all failures but the last one of each.</summary>
    [Fact]
    public async Task Every_node_knows_of_the_failures_of_the_others()
    {
        const int slots = 12;
        await using var cluster = new Cluster();
        var nodes = new List<TestNode>();
        var doesFail = true;
        foreach (var name in (string[])["a", "b", "c"])
        {
            nodes.Add((await PeriodicNode.StartAsync(
                cluster, name, o => (o.DegradedAfterFailures, o.UnhealthyAfterFailures) = (5, slots - 2), (_, _) => doesFail ? throw new TimeoutException() : Task.CompletedTask, Checked)).Node);
        }

        for (var slot = 1; slot <= slots; slot++)
        {
            await Cluster.UntilAsync(() => nodes.Sum(node => node.Logged(1222)) == slot && nodes.TrueForAll(IsWaiting), $"{slot} runs have failed");
            await PeriodicNode.PassAsync(cluster, Interval);
        }

        Assert.All(nodes, node => Assert.Equal(HealthStatus.Unhealthy, Check(node, "coordination").Status));
        Assert.Contains(nodes, node => Check(node, "coordination").Description!.Contains("in the cluster", StringComparison.Ordinal));

        doesFail = false;
        for (var slot = 0; slot < 60 && !nodes.TrueForAll(node => Check(node, "coordination").Status == HealthStatus.Healthy); slot++)
        {
            await PeriodicNode.PassAsync(cluster, Interval);
        }

        Assert.All(nodes, node => Assert.Equal(HealthStatus.Healthy, Check(node, "coordination").Status));

        static bool IsWaiting(TestNode node) => Lock(node, CountingService.LockName)["phase"] is "Waiting";
    }

    [Fact]
    public async Task Failures_are_forgotten_when_none_was_for_ten_intervals()
    {
        await using var cluster = new Cluster();
        var (a, runs) = await PeriodicNode.StartAsync(cluster, "a", o => o.UnhealthyAfterFailures = 1, (_, _) => throw new TimeoutException(), Checked);
        await Cluster.UntilAsync(() => Failures(a) == 1, "it has failed");
        Assert.Equal(HealthStatus.Unhealthy, Check(a, "coordination").Status);

        // The slots that follow are run by another node.
        a.Store.AcquireFault = StoreWithFaults.Away;
        await PeriodicNode.PassAsync(cluster, 10 * Interval + TimeSpan.FromMinutes(1));
        Assert.Equal(0, Failures(a));
        Assert.Single(runs.All);
    }

    [Fact]
    public async Task By_option_the_host_stops_after_failures_in_a_row()
    {
        await using var cluster = new Cluster();
        var (a, _) = await PeriodicNode.StartAsync(cluster, "a", o => o.StopHostAfterFailures = 2, (_, _) => throw new TimeoutException());
        await Cluster.UntilAsync(() => a.Logged(1222) == 1, "the first failure");
        Assert.False(a.Lifetime.ApplicationStopping.IsCancellationRequested);
        await PeriodicNode.PassAsync(cluster, Interval);
        await Cluster.UntilAsync(() => a.Lifetime.ApplicationStopping.IsCancellationRequested, "the host stops");
        Assert.Equal(1, a.Logged(1217));
    }

    [Fact]
    public async Task A_store_that_refuses_this_node_for_good_makes_it_unhealthy()
    {
        await using var cluster = new Cluster();
        var (a, _) = await PeriodicNode.StartAsync(
            cluster, "a", o => o.UnhealthyAfterFailures = 2, services: Checked, store: store => store.Fault = new LockStoreException("The server refuses the password."));
        await cluster.AdvanceUntilAsync(() => Failures(a) >= 2, TimeSpan.FromMinutes(3), "the node was refused twice");
        Assert.Equal((HealthStatus.Unhealthy, "BackingOff"), (Check(a, "coordination").Status, Lock(a, CountingService.LockName)["phase"]));
        Assert.Equal(1, a.Logged(1224));
    }

    [Fact]
    public async Task A_service_that_has_not_started_or_has_stopped_is_not_ready()
    {
        await using var cluster = new Cluster();
        var (a, runs) = PeriodicNode.Create(cluster, "a", services: Checked);
        Assert.Equal((HealthStatus.Degraded, HealthStatus.Unhealthy), (Check(a, "coordination").Status, Check(a, "coordination-ready").Status));
        Assert.Contains("has not started", Check(a, "coordination").Description, StringComparison.Ordinal);
        await a.Host.StartAsync(Cancellation);
        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs");
        Assert.Equal((HealthStatus.Healthy, "Takes part."), ((await a.CheckHealthAsync()).Status, Check(a, "coordination").Description));
        await a.StopAsync();
        Assert.Equal((HealthStatus.Degraded, HealthStatus.Unhealthy), (Check(a, "coordination").Status, Check(a, "coordination-ready").Status));
        Assert.Contains("has stopped", Check(a, "coordination").Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_is_ready_when_work_that_is_run_once_is_done()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var a = cluster.CreateNode("a", services => Checked(services.AddRunOnce("schema", (_, _) => ends.Task)));
        var start = a.Host.StartAsync(Cancellation);
        await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");
        Assert.Equal((HealthStatus.Degraded, HealthStatus.Unhealthy), (Check(a, "coordination").Status, Check(a, "coordination-ready").Status));
        Assert.Equal("Running", Lock(a, "run-once/schema")["phase"]);
        ends.SetResult();
        await start;
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Status);
        Assert.Equal("Done", Lock(a, "run-once/schema")["phase"]);
    }

    [Fact]
    public async Task Two_services_that_share_a_lock_are_both_told_of()
    {
        await using var cluster = new Cluster();
        var a = cluster.CreateNode("a", services => Checked(services
            .AddSingleton(new Runs())
            .AddExclusivePeriodicService<CountingService>(Configure)
            .AddExclusivePeriodicService<OtherService>(Configure)));
        Assert.Equal(2, ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)Check(a, "coordination").Data["locks"]).Count);
        await a.Host.StartAsync(Cancellation);

        static void Configure(ExclusivePeriodicOptions options) => (options.Interval, options.LockName) = (Interval, "shared");
    }

    private static void Checked(IServiceCollection services)
    {
        var checks = services.AddHealthChecks().AddCoordinationHealthCheck().AddCoordinationReadyCheck();
        if (services.Any(service => service.ServiceType == typeof(IPeriodicTrigger<CountingService>)))
        {
            checks.AddCoordinationHealthCheck<CountingService>();
        }
    }

    private static HealthReportEntry Check(TestNode node, string name) => node.CheckHealthAsync().GetAwaiter().GetResult().Entries[name];

    private static int Failures(TestNode node) => (int)Lock(node, CountingService.LockName)["failuresInARow"];

    private static IReadOnlyDictionary<string, object> Lock(TestNode node, string name) =>
        ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)Check(node, "coordination").Data["locks"])[name];

    private sealed class OtherService : ExclusivePeriodicService
    {
        protected override Task RunAsync(PeriodicRun run, CancellationToken stoppingToken) => Task.CompletedTask;
    }
}
