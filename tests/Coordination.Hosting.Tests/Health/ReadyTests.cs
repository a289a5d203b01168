using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Health;

/// <summary>When a node is ready: whoever replaces one node by another waits for that, and stops the old one then.</summary>
[Failure("F22", "F65")]
public sealed class ReadyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_standby_is_ready_when_it_stands_in_the_queue_and_not_before()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: Checked);
        await a.LeadsAsync();
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);

        var b = cluster.CreateNode("b", services => Checked(services.AddExclusiveBackgroundService<WorkingService>()));
        var gate = new TaskCompletionSource();
        b.Store.AcquireGate = gate.Task;
        await b.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => b.Store.Tries > 0 && Phase(b) == ServicePhase.Standby, "b asks for the lock");
        var ready = await ReadyAsync(b);
        Assert.Equal((HealthStatus.Unhealthy, $"'{WorkingService.LockName}' does not stand in the queue yet."), (ready.Status, ready.Description));
        Assert.Equal(HealthStatus.Healthy, (await b.CheckHealthAsync()).Entries["coordination"].Status);

        gate.SetResult();
        await b.StandsByAsync();
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(b)).Status);
    }

    [Fact]
    public async Task A_node_that_prepares_its_first_term_is_not_ready_and_says_so()
    {
        await using var cluster = new Cluster();
        var loaded = new TaskCompletionSource();
        var a = await StartAsync(cluster, new Caches { Load = (_, _) => loaded.Task });
        await Cluster.UntilAsync(() => Phase(a) == ServicePhase.Preparing, "a prepares");
        var ready = await ReadyAsync(a);
        Assert.Equal(HealthStatus.Unhealthy, ready.Status);
        Assert.Contains("prepares its first term", ready.Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Entries["coordination"].Status);
        loaded.SetResult();
        await Cluster.UntilAsync(() => a.Work.IsRunning, "a leads");
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);
    }

    [Fact]
    public async Task A_node_whose_preparation_fails_is_not_ready_until_it_has_succeeded()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, new Caches { Load = static (number, _) => number == 1 ? throw new TimeoutException("password=hunter2") : Task.CompletedTask });
        await Cluster.UntilAsync(() => Phase(a) == ServicePhase.BackingOff && a.Logged(1241) == 1, "the preparation has failed");
        var ready = await ReadyAsync(a);
        Assert.Equal(HealthStatus.Unhealthy, ready.Status);
        Assert.Contains("does not stand in the queue yet.", ready.Description, StringComparison.Ordinal);
        Assert.Contains("the last time with TimeoutException.", ready.Description, StringComparison.Ordinal);
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning, TimeSpan.FromSeconds(10), "a leads");
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);
    }

    [Fact]
    public async Task A_node_that_was_ready_stays_so_after_a_failure_and_while_it_prepares_again()
    {
        await using var cluster = new Cluster();
        var loaded = new TaskCompletionSource();
        var a = await StartAsync(cluster, new Caches { Load = (number, _) => number == 1 ? Task.CompletedTask : loaded.Task });
        await Cluster.UntilAsync(() => a.Work.IsRunning, "a leads");
        a.Work.Do = static (_, _) => throw new TimeoutException();
        a.Work.Term.StepDown();
        await Cluster.UntilAsync(() => Phase(a) == ServicePhase.Preparing, "a prepares again");
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);
        loaded.SetResult();
        await Cluster.UntilAsync(() => Phase(a) == ServicePhase.BackingOff, "the work has failed");
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);
    }

    [Theory]
    [InlineData("CanLead")]
    [InlineData("drain")]
    public async Task A_node_that_is_to_lead_nothing_is_ready_and_stays_so_when_it_may_again(string by)
    {
        await using var cluster = new Cluster();
        var loaded = new TaskCompletionSource();
        var a = Create(cluster, new Caches { Load = (_, _) => loaded.Task }, o => o.CanLead = by != "CanLead");
        if (by == "drain")
        {
            await a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token);
        }

        await a.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => Phase(a) == ServicePhase.Ineligible, "a stays away");
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);

        a.Host.Services.GetRequiredService<NodeDrain>().Resume();
        a.Host.Services.GetRequiredService<ILeadership<PreparingService>>().SetCanLead(true);
        await Cluster.UntilAsync(() => Phase(a) == ServicePhase.Preparing, "a prepares");
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);
        loaded.SetResult();
        await Cluster.UntilAsync(() => a.Work.IsRunning, "a leads");
    }

    [Fact]
    [Promise("G12")]
    public async Task A_standby_is_ready_again_when_its_store_is_back()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", services: Checked, fault: StoreWithFaults.Away);
        await cluster.AdvanceUntilAsync(() => ReadyAsync(b).Result.Description!.Contains("The connection is gone.", StringComparison.Ordinal), TimeSpan.FromSeconds(30), "b says why", keep: a.Work.Term);
        var ready = await ReadyAsync(b);
        Assert.Equal(HealthStatus.Unhealthy, ready.Status);
        Assert.Contains("does not stand in the queue yet.", ready.Description, StringComparison.Ordinal);

        b.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => b.Store.IsQueued && IsReady(b), TimeSpan.FromSeconds(30), "b is ready", keep: a.Work.Term);
        b.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceUntilAsync(() => !IsReady(b), TimeSpan.FromMinutes(1), "b is not ready", keep: a.Work.Term);
        Assert.DoesNotContain("queue", (await ReadyAsync(b)).Description, StringComparison.Ordinal);
        b.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => IsReady(b), TimeSpan.FromSeconds(30), "b is ready again", keep: a.Work.Term);
    }

    private static async Task<TestNode> StartAsync(Cluster cluster, Caches caches)
    {
        var node = Create(cluster, caches);
        await node.Host.StartAsync(Token);
        return node;
    }

    private static TestNode Create(Cluster cluster, Caches caches, Action<ExclusiveServiceOptions>? configure = null) =>
        cluster.CreateNode("a", services => Checked(services.AddSingleton(caches).AddExclusiveBackgroundService<PreparingService>(configure)));

    private static ServicePhase Phase(TestNode node) => node.Host.Services.GetRequiredService<ExclusiveServices>().All[0].Leadership.Status.Phase;

    private static bool IsReady(TestNode node) => ReadyAsync(node).GetAwaiter().GetResult().Status == HealthStatus.Healthy;

    private static async Task<HealthReportEntry> ReadyAsync(TestNode node) => (await node.CheckHealthAsync()).Entries["coordination-ready"];

    private static void Checked(IServiceCollection services) => services.AddHealthChecks().AddCoordinationHealthCheck().AddCoordinationReadyCheck();
}
