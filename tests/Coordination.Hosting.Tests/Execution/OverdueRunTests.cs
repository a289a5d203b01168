using Coordination.Hosting.Execution;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Coordination.Telemetry;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Execution;

/// <summary>What a node does about periodic work, and work that is run once, which ignores the loss of its lease.</summary>
public sealed class OverdueRunTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource _ends = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F24", "F62")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_host_that_stops_because_of_an_overdue_run_does_not_wait_for_it(bool isTriggered)
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, OverdueAction.StopHost, isTriggered);
        await cluster.AdvanceUntilAsync(() => a.Lifetime.ApplicationStopping.IsCancellationRequested, TimeSpan.FromSeconds(10), "the host stops");

        // It has 30 s of real time, and they are not used.
        await a.StopAsync().WaitAsync(Bound, Cancellation);
        await a.AbandonAsync().WaitAsync(Bound, Cancellation);
        Assert.Equal((1, 1, 0, 0), (a.Logged(1203), a.Logged(1206), a.Logged(1209), a.Logged(1215)));
        _ends.SetResult();
    }

    [Fact]
    [Failure("F62", "F65")]
    public async Task By_default_an_overdue_run_is_warned_of_and_makes_its_node_unhealthy()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, new ExclusivePeriodicOptions().OnOverdue);
        Assert.Equal("Lost", Phase(await a.CheckHealthAsync()));
        await cluster.AdvanceUntilAsync(() => a.Logged(1205) >= 3, TimeSpan.FromMinutes(1), "it is warned of");
        Assert.False(a.Lifetime.ApplicationStopping.IsCancellationRequested);
        var report = await a.CheckHealthAsync();
        Assert.Equal((HealthStatus.Unhealthy, "Overdue"), (report.Status, Phase(report)));

        _ends.SetResult();
        await cluster.AdvanceUntilAsync(() => a.Logged(1223) == 1, TimeSpan.FromMinutes(1), "the run has returned");

        // The line is written before the next slot is waited for.
        await Eventually.IsTrueAsync(async () => (await a.CheckHealthAsync()).Status == HealthStatus.Healthy, Bound, "the node is healthy");

        static string Phase(HealthReport report) =>
            (string)((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)report.Entries["coordination"].Data["locks"])[CountingService.LockName]["phase"];
    }

    [Fact]
    [Failure("F62")]
    public async Task A_start_that_waits_for_overdue_work_that_is_run_once_ends_by_option()
    {
        await using var cluster = new Cluster();
        var a = cluster.CreateNode("a", services => services.AddRunOnce("schema", (_, _) => _ends.Task, o => (o.OnOverdue, o.OverdueAfter) = (OverdueAction.StopHost, TimeSpan.FromSeconds(5))));
        var start = a.Host.StartAsync(Cancellation);
        await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => a.Lifetime.ApplicationStopping.IsCancellationRequested, TimeSpan.FromSeconds(30), "the host stops");
        await start.WaitAsync(Bound, Cancellation);
        Assert.Equal((1, 1, 0), (a.Logged(1203), a.Logged(1206), a.Logged(1231)));
        _ends.SetResult();
    }

    [Theory]
    [Failure("F62")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task By_option_the_process_ends_with_an_overdue_run(bool isRunOnce)
    {
        await using var cluster = new Cluster();
        var ended = new TaskCompletionSource<int>();
        void Services(IServiceCollection services) => services.AddSingleton(provider => new ProcessEnd(provider.GetRequiredService<TelemetryDispatcher>(), code => ended.TrySetResult(code)));
        if (isRunOnce)
        {
            var a = cluster.CreateNode("a", services => Services(services.AddRunOnce("schema", (_, _) => _ends.Task, o => o.OnOverdue = OverdueAction.EndProcess)));
            _ = a.Host.StartAsync(Cancellation);
            await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");
            cluster.Store.Clear();
        }
        else
        {
            await StartAsync(cluster, OverdueAction.EndProcess, services: Services);
        }

        await cluster.AdvanceUntilAsync(() => ended.Task.IsCompleted, TimeSpan.FromSeconds(30), "the process ends");
        Assert.Equal(70, await ended.Task);
        _ends.SetResult();
    }

    /// <summary>A node whose run ignores that its lease is lost, and is overdue in five seconds.</summary>
    private async Task<TestNode> StartAsync(Cluster cluster, OverdueAction action, bool isTriggered = false, Action<IServiceCollection>? services = null)
    {
        var (a, runs) = PeriodicNode.Create(
            cluster,
            "a",
            o => (o.OnOverdue, o.OverdueAfter) = (action, TimeSpan.FromSeconds(5)),
            (_, _) => _ends.Task,
            s =>
            {
                s.AddHealthChecks().AddCoordinationHealthCheck();
                services?.Invoke(s);
            });
        if (isTriggered)
        {
            _ = a.Host.Services.GetRequiredService<IPeriodicTrigger<CountingService>>().RunNowAsync(Cancellation);
        }
        else
        {
            await a.Host.StartAsync(Cancellation);
        }

        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs");
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => a.Logged(1203) == 1, TimeSpan.FromSeconds(12), "the lease is lost");
        Assert.Equal(0, a.Logged(1205));
        return a;
    }
}
