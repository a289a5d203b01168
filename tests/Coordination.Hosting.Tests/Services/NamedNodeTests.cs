using System.Diagnostics.Metrics;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.Services;

/// <summary>F84: work with the locks of a node that has a name.</summary>
public sealed class NamedNodeTests
{
    private const string Billing = "billing";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F84")]
    public async Task A_service_leads_by_the_lock_of_its_node_and_another_by_the_same_lock_elsewhere()
    {
        await using var cluster = new Cluster();
        var billing = new InMemoryLockStore(cluster.Time);
        var a = await cluster.StartNodeAsync("a", services: services =>
        {
            services.AddCoordination(Billing).UseStore(billing);
            services.AddExclusiveBackgroundService<WorkingService>("invoices", o => (o.Node, o.LockName) = (Billing, WorkingService.LockName));
        });
        await a.LeadsAsync();
        var invoices = a.Host.Services.GetRequiredKeyedService<ILeadership>("invoices");
        await Cluster.UntilAsync(() => invoices.IsLeader, "both lead");

        var node = a.Host.Services.GetRequiredKeyedService<ILockProvider>(Billing).NodeId;
        Assert.Equal(node, (await billing.GetHolderAsync(WorkingService.LockName, Token))!.Owner.NodeId);
        Assert.Equal(a.NodeId, (await cluster.HolderAsync(WorkingService.LockName))!.Owner.NodeId);
        Assert.Equal((node, node), (invoices.Leader!.NodeId, (await invoices.GetLeaderAsync(Token))!.NodeId));
        Assert.Same(a.Leadership, a.Host.Services.GetRequiredKeyedService<ILeadership>(WorkingService.LockName));

        using var leaders = new MetricCollector<int>(a.Host.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.leadership.leader");
        leaders.RecordObservableInstruments();
        Assert.Equal([null, Billing], leaders.GetMeasurementSnapshot().Select(told => told.Tags.GetValueOrDefault("coordination.node.name")));
    }

    [Fact]
    [Failure("F84")]
    public async Task A_standby_of_a_named_node_learns_who_leads_from_its_own_store()
    {
        await using var cluster = new Cluster();
        var billing = new InMemoryLockStore(cluster.Time);
        var a = await StartAsync(cluster, "a", billing);
        await Cluster.UntilAsync(() => Of(a).IsLeader, "a leads");
        var b = await StartAsync(cluster, "b", billing, services => services.AddLeadership("stock", Billing));
        await Cluster.UntilAsync(() => Of(b).Leader is not null, "b stands by");
        Assert.Equal(a.Host.Services.GetRequiredKeyedService<ILockProvider>(Billing).NodeId, Of(b).Leader!.NodeId);

        var stock = b.Host.Services.GetRequiredKeyedService<ILeadership>("stock");
        Assert.Null(await stock.GetLeaderAsync(Token));
        await using var lease = await a.Host.Services.GetRequiredKeyedService<ILockProvider>(Billing).GetLock("stock").AcquireAsync(Token);
        Assert.Equal(lease.Owner.NodeId, (await stock.GetLeaderAsync(Token))!.NodeId);

        static ILeadership Of(TestNode node) => node.Host.Services.GetRequiredKeyedService<ILeadership>("invoices");
    }

    [Fact]
    [Failure("F84")]
    public async Task Periodic_services_and_work_that_is_run_once_have_the_locks_of_their_node()
    {
        await using var cluster = new Cluster();
        var billing = new InMemoryLockStore(cluster.Time);
        var (once, runs) = ("", new Runs());
        var holder = new TaskCompletionSource<LockHolder?>(TaskCreationOptions.RunContinuationsAsynchronously);
        runs.Do = async (run, stop) => holder.TrySetResult(await billing.GetHolderAsync(run.Lease.LockName, stop));
        var a = cluster.CreateNode("a", services =>
        {
            services.AddCoordination(Billing).UseStore(billing);
            services.AddRunOnce("schema", async (run, stop) => once = (await billing.GetHolderAsync(run.Lease.LockName, stop))!.Owner.NodeId, o => o.Node = Billing);
            services.AddSingleton(runs).AddExclusivePeriodicService<CountingService>(o => (o.Node, o.Interval) = (Billing, TimeSpan.FromHours(1)));
        });
        await a.Host.StartAsync(Token);

        var node = a.Host.Services.GetRequiredKeyedService<ILockProvider>(Billing).NodeId;
        Assert.Equal(node, once);
        Assert.Equal(node, (await holder.Task.WaitAsync(TimeSpan.FromMinutes(1), Token))!.Owner.NodeId);
        await a.Host.Services.GetRequiredService<IPeriodicTrigger<CountingService>>().RunNowAsync(Token);
        Assert.Equal(2, runs.All.Count);
    }

    [Fact]
    [Failure("F84")]
    public async Task Work_is_checked_with_its_node()
    {
        await using var cluster = new Cluster();
        var billing = new ControllableLockStore(cluster.Time);
        var a = await StartAsync(cluster, "a", billing, services => services
            .AddExclusiveBackgroundService<WorkingService>()
            .AddHealthChecks()
            .AddCoordinationHealthCheck().AddCoordinationHealthCheck(nodeName: Billing).AddCoordinationReadyCheck().AddCoordinationReadyCheck(nodeName: Billing)
            .AddCoordinationHealthCheck("invoices", "invoices").AddCoordinationLeaderCheck<WorkingService>());
        await Cluster.UntilAsync(() => a.Host.Services.GetServices<ILeadership>().All(leadership => leadership.IsLeader), "both lead");
        var report = await a.CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, report.Status);
        Assert.Equal(["invoices"], Locks(report, "coordination:billing"));
        Assert.Equal([WorkingService.LockName], Locks(report, "coordination"));
        Assert.Equal("controllable", report.Entries["invoices"].Data["store"]);
        Assert.Equal(["invoices", WorkingService.LockName], report.Entries["coordination-leader:WorkingService"].Data.Keys.Order(StringComparer.OrdinalIgnoreCase).Reverse());

        billing.IsAway = true;
        await cluster.AdvanceUntilAsync(() => !a.Host.Services.GetRequiredKeyedService<ILeadership>("invoices").IsLeader, 2 * Cluster.LeaseDuration, "the lease is lost");
        report = await a.CheckHealthAsync();
        Assert.Equal(
            [
                ("coordination", HealthStatus.Healthy),
                ("coordination-leader:WorkingService", HealthStatus.Unhealthy),
                ("coordination-ready", HealthStatus.Healthy),
                ("coordination-ready:billing", HealthStatus.Unhealthy),
                ("coordination:billing", HealthStatus.Degraded),
                ("invoices", HealthStatus.Degraded),
            ],
            report.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value.Status)));
    }

    [Fact]
    [Failure("F84")]
    public async Task A_container_may_have_nodes_with_names_alone_and_the_configuration_may_say_which()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("Coordination:Services:WorkingService:Node", Billing), new("Coordination:RunOnce:schema:Node", Billing)]);
        builder.Services.AddCoordination(Billing).UseInMemory();
        builder.Services.AddSingleton(new Work()).AddExclusiveBackgroundService<WorkingService>().AddRunOnce("schema", (_, _) => Task.CompletedTask);
        builder.Services.AddHealthChecks().AddCoordinationHealthCheck<WorkingService>();
        using var host = builder.Build();
        await host.StartAsync(Token);

        await Cluster.UntilAsync(() => host.Services.GetRequiredService<ILeadership<WorkingService>>().IsLeader, "it leads");
        Assert.Equal(HealthStatus.Healthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Status);
        await host.StopAsync(Token);
    }

    [Theory]
    [Failure("F84")]
    [InlineData("service")]
    [InlineData("periodic")]
    [InlineData("once")]
    public async Task A_node_that_there_is_not_stops_the_start_and_is_named(string kind)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination().UseInMemory();
        builder.Services.AddSingleton(new Work()).AddSingleton(new Runs());
        _ = kind switch
        {
            "service" => builder.Services.AddExclusiveBackgroundService<WorkingService>(o => o.Node = Billing),
            "periodic" => builder.Services.AddExclusivePeriodicService<CountingService>(o => (o.Node, o.Interval) = (Billing, TimeSpan.FromHours(1))),
            _ => builder.Services.AddRunOnce("schema", (_, _) => Task.CompletedTask, o => o.Node = Billing),
        };
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains("Node is 'billing', and there is none of that name: call services.AddCoordination(\"billing\")", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F84")]
    public async Task A_lock_that_several_named_nodes_have_is_not_guessed()
    {
        var services = new ServiceCollection();
        services.AddCoordination(Billing).UseInMemory();
        services.AddCoordination("stock").UseInMemory();
        services.AddLeadership("work", Billing).AddLeadership("work", "stock").AddLeadership("work", "stock");
        await using var container = services.BuildServiceProvider();

        Assert.Equal(2, container.GetServices<ILeadership>().Distinct().Count());
        var error = Assert.Throws<InvalidOperationException>(() => container.GetKeyedService<ILeadership>("work"));
        Assert.Contains("Several nodes have a lock 'work'", error.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Locks(HealthReport report, string check) =>
        ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)report.Entries[check].Data["locks"]).Keys;

    private static async Task<TestNode> StartAsync(Cluster cluster, string name, ILockStore billing, Action<IServiceCollection>? more = null)
    {
        var node = cluster.CreateNode(name, services =>
        {
            services.AddCoordination(Billing, o => o.LeaseDuration = Cluster.LeaseDuration).UseStore(billing);
            services.AddExclusiveBackgroundService<WorkingService>("invoices", o => (o.Node, o.LockName) = (Billing, "invoices"));
            more?.Invoke(services);
        });
        await node.Host.StartAsync(Token);
        return node;
    }
}
