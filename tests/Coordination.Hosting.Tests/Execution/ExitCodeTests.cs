using Coordination.Hosting.Execution;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Execution;

/// <summary>A host that stops because of a failure ends its process as one that failed: what starts it again on a failure alone does so.</summary>
public sealed class ExitCodeTests
{
    private int _exitCode;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F62", "F65")]
    [InlineData("service", 0, 1)]
    [InlineData("service", 3, 3)]
    [InlineData("periodic", 0, 1)]
    [InlineData("periodic", 3, 3)]
    public async Task A_host_that_stops_after_failures_sets_the_exit_code(string kind, int ofApplication, int expected)
    {
        _exitCode = ofApplication;
        await using var cluster = new Cluster();
        var node = kind == "service"
            ? cluster.CreateNode("a", services => Noted(services).AddExclusiveBackgroundService<FailingService>(o => o.StopHostAfterFailures = 1))
            : PeriodicNode.Create(cluster, "a", o => o.StopHostAfterFailures = 1, (_, _) => throw new TimeoutException(), services => Noted(services)).Node;
        await node.Host.StartAsync(Cancellation);
        await Cluster.UntilAsync(() => node.Lifetime.ApplicationStopping.IsCancellationRequested, "the host stops");
        Assert.Equal(expected, _exitCode);
    }

    [Fact]
    [Failure("F62")]
    public async Task A_host_that_stops_because_of_overdue_work_sets_the_exit_code()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var (node, runs) = await PeriodicNode.StartAsync(cluster, "a", o => o.OnOverdue = OverdueAction.StopHost, (_, _) => ends.Task, services => Noted(services));
        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs");
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => node.Lifetime.ApplicationStopping.IsCancellationRequested, TimeSpan.FromMinutes(1), "the host stops");
        Assert.Equal(1, _exitCode);
        ends.SetResult();
    }

    [Fact]
    [Failure("F62")]
    public async Task A_host_that_is_stopped_otherwise_leaves_the_exit_code()
    {
        await using var cluster = new Cluster();
        var (node, runs) = await PeriodicNode.StartAsync(cluster, "a", o => (o.OnOverdue, o.StopHostAfterFailures) = (OverdueAction.StopHost, 1), services: services => Noted(services));
        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs");
        await node.StopAsync();
        Assert.Equal(0, _exitCode);
    }

    private IServiceCollection Noted(IServiceCollection services) => services.AddSingleton(provider => new ProcessEnd(
        provider.GetRequiredService<TelemetryDispatcher>(), exitCode: new ProcessExitCode(() => _exitCode, code => _exitCode = code)));

    private sealed class FailingService : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => throw new TimeoutException();
    }
}
