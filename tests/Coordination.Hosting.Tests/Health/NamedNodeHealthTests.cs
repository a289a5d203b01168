using Coordination.Hosting.Tests.Nodes;
using Coordination.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Health;

/// <summary>F84: the health of a node that has a name.</summary>
public sealed class NamedNodeHealthTests
{
    [Fact]
    [Failure("F84")]
    public async Task Each_node_has_checks_of_its_own_and_none_tells_of_another()
    {
        await using var cluster = new Cluster();
        var billing = new ControllableLockStore(cluster.Time);
        var a = await cluster.StartNodeAsync("a", services: services =>
        {
            services.AddCoordination("billing").UseStore(billing);
            services.AddHealthChecks()
                .AddCoordinationHealthCheck().AddCoordinationHealthCheck(nodeName: "billing")
                .AddCoordinationReadyCheck().AddCoordinationReadyCheck(nodeName: "billing");
        });
        await a.LeadsAsync();
        var report = await a.CheckHealthAsync();
        Assert.Equal(["coordination", "coordination-ready", "coordination-ready:billing", "coordination:billing"], report.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(HealthStatus.Healthy, report.Status);
        var node = a.Host.Services.GetRequiredKeyedService<ILockProvider>("billing").NodeId;
        Assert.Equal((node, 0), (report.Entries["coordination:billing"].Data["node"], Locks(report, "coordination:billing")));
        Assert.Equal((a.NodeId, 1), (report.Entries["coordination"].Data["node"], Locks(report, "coordination")));

        billing.IsAway = true;
        await AskAsync(cluster, a, "billing");
        report = await a.CheckHealthAsync();
        Assert.Equal((HealthStatus.Degraded, HealthStatus.Unhealthy), (report.Entries["coordination:billing"].Status, report.Entries["coordination-ready:billing"].Status));
        Assert.Equal((HealthStatus.Healthy, HealthStatus.Healthy), (report.Entries["coordination"].Status, report.Entries["coordination-ready"].Status));

        billing.IsAway = false;
        a.Store.Fault = StoreWithFaults.Away;
        await AskAsync(cluster, a, name: null);
        await cluster.AdvanceAsync(TimeSpan.FromMinutes(2));
        report = await a.CheckHealthAsync();
        Assert.Equal((HealthStatus.Healthy, HealthStatus.Healthy), (report.Entries["coordination:billing"].Status, report.Entries["coordination-ready:billing"].Status));
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["coordination-ready"].Status);
    }

    [Fact]
    [Failure("F84")]
    public async Task A_host_with_named_nodes_only_can_be_checked_and_a_missing_node_is_named()
    {
        var services = new ServiceCollection();
        services.AddCoordination("billing").UseInMemory();
        services.AddHealthChecks().AddCoordinationHealthCheck("ours", nodeName: "billing").AddCoordinationReadyCheck(nodeName: "billing");
        await using var container = services.BuildServiceProvider();
        var report = await container.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal((HealthStatus.Healthy, HealthStatus.Healthy), (report.Entries["ours"].Status, report.Entries["coordination-ready:billing"].Status));

        services.AddHealthChecks().AddCoordinationHealthCheck(nodeName: "stock");
        await using var other = services.BuildServiceProvider();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => other.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken));
        Assert.Contains("AddCoordination(\"stock\")", error.Message, StringComparison.Ordinal);
    }

    private static int Locks(HealthReport report, string check) => ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)report.Entries[check].Data["locks"]).Count;

    private static async Task AskAsync(Cluster cluster, TestNode node, string? name)
    {
        var locks = name is null ? node.Host.Services.GetRequiredService<ILockProvider>() : node.Host.Services.GetRequiredKeyedService<ILockProvider>(name);
        var asked = locks.GetLock("other").TryAcquireAsync(TestContext.Current.CancellationToken);
        await cluster.AdvanceUntilAsync(() => asked.IsCompleted, TimeSpan.FromMinutes(1), "the try has failed");
        await Assert.ThrowsAsync<LockStoreException>(() => asked);
    }
}
