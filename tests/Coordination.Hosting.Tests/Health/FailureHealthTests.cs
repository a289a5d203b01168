using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Health;

/// <summary>What health checks say of services that fail, never started, or do not lead; and how each is registered.</summary>
public sealed class FailureHealthTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F65")]
    public async Task Work_that_always_fails_makes_every_node_degraded_and_then_unhealthy()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", Thresholds, Checked, Failing());
        var b = await cluster.StartNodeAsync("b", Thresholds, Checked, Failing());
        var seen = new HashSet<HealthStatus>();
        await cluster.AdvanceUntilAsync(() => Note(a, seen) >= 4 && Note(b, seen) >= 4, TimeSpan.FromMinutes(2), "both nodes have failed four times in a row");
        Assert.Equal([HealthStatus.Unhealthy, HealthStatus.Degraded, HealthStatus.Healthy], seen.Order());

        var entry = (await a.CheckHealthAsync()).Entries["coordination"];
        Assert.Contains(nameof(TimeoutException), entry.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", entry.Description, StringComparison.Ordinal);
        Assert.Equal(nameof(TimeoutException), Lock(entry)["lastFailure"]);

        // The first term that goes well makes them healthy again.
        a.Work.Do = b.Work.Do = Work.UntilToldAsync;
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning || b.Work.IsRunning, TimeSpan.FromMinutes(2), "one of them works");
        var leader = a.Work.IsRunning ? a : b;
        await cluster.AdvanceAsync(TimeSpan.FromMinutes(3), leader.Work.Term);
        Assert.Equal((HealthStatus.Healthy, HealthStatus.Healthy), ((await a.CheckHealthAsync()).Status, (await b.CheckHealthAsync()).Status));

        static void Thresholds(ExclusiveServiceOptions options) => (options.DegradedAfterFailures, options.UnhealthyAfterFailures) = (2, 4);

        static int Note(TestNode node, HashSet<HealthStatus> seen)
        {
            var entry = Check(node, "coordination");
            seen.Add(entry.Status);
            var expected = Failures(entry) switch { < 2 => HealthStatus.Healthy, < 4 => HealthStatus.Degraded, _ => HealthStatus.Unhealthy };
            Assert.Equal(expected, entry.Status);
            return Failures(entry);
        }
    }

    [Fact]
    [Failure("F65")]
    public async Task A_store_that_refuses_this_node_for_good_makes_it_unhealthy_in_the_end()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.UnhealthyAfterFailures = 3, Checked, fault: new LockStoreException("The server refuses the password."));
        await cluster.AdvanceUntilAsync(() => Failures(Check(a, "coordination")) >= 3, TimeSpan.FromMinutes(2), "the node was refused three times");
        var entry = (await a.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Equal(("BackingOff", nameof(LockStoreException)), (Lock(entry)["phase"], Lock(entry)["lastFailure"]));
    }

    [Fact]
    [Failure("F65")]
    public async Task A_service_that_never_started_or_has_stopped_is_not_healthy_and_not_ready()
    {
        await using var cluster = new Cluster();
        var a = cluster.CreateNode("a", services => Checked(services.AddExclusiveBackgroundService<WorkingService>()));
        var before = await a.CheckHealthAsync();
        Assert.Equal((HealthStatus.Degraded, HealthStatus.Unhealthy), (before.Entries["coordination"].Status, before.Entries["coordination-ready"].Status));
        Assert.Contains("has not started", before.Entries["coordination"].Description, StringComparison.Ordinal);
        Assert.Equal("NotStarted", Lock(before.Entries["coordination"])["phase"]);

        await a.Host.StartAsync(Cancellation);
        await a.LeadsAsync();
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Status);

        await a.StopAsync();
        var after = await a.CheckHealthAsync();
        Assert.Equal((HealthStatus.Degraded, HealthStatus.Unhealthy), (after.Entries["coordination"].Status, after.Entries["coordination-ready"].Status));
        Assert.Contains("has stopped", after.Entries["coordination"].Description, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F65")]
    public async Task A_node_whose_store_is_away_is_not_ready()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: Checked, fault: StoreWithFaults.Away);
        await cluster.AdvanceUntilAsync(() => Check(a, "coordination-ready").Status == HealthStatus.Unhealthy, TimeSpan.FromSeconds(30), "it is not ready");
        a.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning, TimeSpan.FromSeconds(20), "a leads");
        await cluster.AdvanceUntilAsync(() => Check(a, "coordination-ready").Status == HealthStatus.Healthy, TimeSpan.FromSeconds(30), "it is ready", keep: a.Work.Term);
    }

    [Fact]
    [Failure("F65")]
    public async Task The_leader_check_is_healthy_on_the_leader_alone_and_says_who_it_is()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: Led);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", services: Led);
        await b.StandsByAsync();
        Assert.All((await a.CheckHealthAsync()).Entries.Values, entry => Assert.Equal(HealthStatus.Healthy, entry.Status));
        Assert.All((await b.CheckHealthAsync()).Entries.Values, entry => Assert.Contains(a.NodeId, entry.Description, StringComparison.Ordinal));
        var entries = (await b.CheckHealthAsync()).Entries;
        Assert.Equal((HealthStatus.Unhealthy, HealthStatus.Degraded), (entries["coordination-leader:WorkingService"].Status, entries["by name"].Status));
        Assert.Equal(["leader"], entries["coordination-leader:WorkingService"].Tags);

        static void Led(IServiceCollection services) => services.AddHealthChecks()
            .AddCoordinationLeaderCheck<WorkingService>()
            .AddCoordinationLeaderCheck("by name", WorkingService.LockName, HealthStatus.Degraded);
    }

    [Fact]
    [Failure("F65")]
    public async Task A_check_of_one_service_says_nothing_of_the_others()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.DegradedAfterFailures = 1, services => services
            .AddExclusiveBackgroundService<OtherService>(o => o.LockName = "other")
            .AddHealthChecks()
            .AddCoordinationHealthCheck()
            .AddCoordinationHealthCheck<OtherService>(tags: ["of-type"])
            .AddCoordinationHealthCheck("failing", WorkingService.LockName, timeout: TimeSpan.FromSeconds(10))
            .AddCoordinationHealthCheck("unknown", "nobody's"), Failing());
        await Cluster.UntilAsync(() => a.Logged(1204) >= 1, "the work has failed");
        var entries = (await a.CheckHealthAsync()).Entries;
        Assert.Equal(
            (HealthStatus.Degraded, HealthStatus.Healthy, HealthStatus.Degraded, HealthStatus.Unhealthy),
            (entries["coordination"].Status, entries["coordination:OtherService"].Status, entries["failing"].Status, entries["unknown"].Status));
        Assert.Equal(["of-type"], entries["coordination:OtherService"].Tags);
        Assert.Contains("'other'", entries["unknown"].Exception?.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F65")]
    public async Task The_platforms_parameters_are_passed_on()
    {
        await using var cluster = new Cluster();
        var a = cluster.CreateNode("a", services => services.AddHealthChecks()
            .AddCoordinationHealthCheck(failureStatus: HealthStatus.Degraded, tags: ["x"], timeout: TimeSpan.FromSeconds(7))
            .AddCoordinationReadyCheck(failureStatus: HealthStatus.Degraded, timeout: TimeSpan.FromSeconds(8)));
        var registrations = a.Host.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<HealthCheckServiceOptions>>().Value.Registrations.ToDictionary(registration => registration.Name);
        var (all, ready) = (registrations["coordination"], registrations["coordination-ready"]);
        Assert.Equal((HealthStatus.Degraded, TimeSpan.FromSeconds(7), "x"), (all.FailureStatus, all.Timeout, Assert.Single(all.Tags)));
        Assert.Equal((HealthStatus.Degraded, TimeSpan.FromSeconds(8), "ready"), (ready.FailureStatus, ready.Timeout, Assert.Single(ready.Tags)));
    }

    [Fact]
    [Failure("F65")]
    public async Task By_option_the_host_stops_after_so_many_failures_in_a_row()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.StopHostAfterFailures = 3, work: Failing());
        await cluster.AdvanceUntilAsync(() => a.Lifetime.ApplicationStopping.IsCancellationRequested, TimeSpan.FromMinutes(1), "the host stops");
        Assert.Equal(3, a.Work.Terms);
        Assert.Equal(LogLevel.Critical, a.Log.Single(record => record.Id.Id == 1217).Level);
    }

    [Fact]
    [Failure("F65")]
    public async Task Terms_that_all_end_by_a_failure_are_in_a_row_however_long_they_were()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", ShortMemory, work: new Work
        {
            Do = async (_, stop) =>
            {
                // On the clock of the test: longer than the time after which a restart is at once again.
                await Task.Delay(TimeSpan.FromSeconds(12), cluster.Time, stop);
                throw new TimeoutException();
            },
        });
        await cluster.AdvanceUntilAsync(() => a.Lifetime.ApplicationStopping.IsCancellationRequested, TimeSpan.FromSeconds(50), "the host stops");
        Assert.Equal(3, a.Work.Terms);
    }

    [Fact]
    [Failure("F65")]
    public async Task Failures_with_a_long_good_term_of_another_node_between_are_not_in_a_row()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", ShortMemory, Checked, Failing());
        await Cluster.UntilAsync(() => Failures(Check(a, "coordination")) == 1, "a has failed");
        var b = await cluster.StartNodeAsync("b");
        await b.LeadsAsync();
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(10), b.Work.Term);
        Assert.Equal(0, Failures(Check(a, "coordination")));

        b.Work.Term.StepDown(TimeSpan.FromMinutes(1));
        await cluster.AdvanceUntilAsync(() => a.Logged(1204) == 2 && Failures(Check(a, "coordination")) > 0, TimeSpan.FromSeconds(10), "a has failed again");
        Assert.Equal(1, Failures(Check(a, "coordination")));
    }

    /// <summary>Six seconds.</summary>
    private static void ShortMemory(ExclusiveServiceOptions options) =>
        (options.MinRestartDelay, options.MaxRestartDelay, options.RestartDelayResetAfter, options.StopHostAfterFailures) =
            (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), 3);

    private static Work Failing() => new() { Do = (_, _) => throw new TimeoutException("password=hunter2") };

    private static HealthReportEntry Check(TestNode node, string name) => node.CheckHealthAsync().GetAwaiter().GetResult().Entries[name];

    private static int Failures(HealthReportEntry entry) => (int)Lock(entry)["failuresInARow"];

    private static void Checked(IServiceCollection services) => services.AddHealthChecks().AddCoordinationHealthCheck().AddCoordinationReadyCheck();

    private static IReadOnlyDictionary<string, object> Lock(HealthReportEntry entry) =>
        ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)entry.Data["locks"])[WorkingService.LockName];

    private sealed class OtherService : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
