using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>When a node that shares partitions is ready, and what it says where it is to take no part.</summary>
[Failure("F22", "F65")]
public sealed class PartitionHealthTests
{
    private const int CannotListLine = 1266;
    private const int MembershipLostLine = 1263;
    private const int TakesNoPartLine = 1272;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_is_ready_when_it_is_a_member_and_not_before_and_stays_so()
    {
        await using var cluster = new Cluster();
        var (work, names) = (new PartitionWorkOfAll(), new PartitionNames { Fault = new TimeoutException("The database is away.") });
        var a = Create(cluster, work, names);
        await a.Host.StartAsync(Token);
        await cluster.PassUntilAsync(work, () => a.Logged(CannotListLine) == 1, TimeSpan.FromMinutes(1), "it cannot name the partitions");
        var ready = await ReadyAsync(a);
        Assert.Equal((HealthStatus.Unhealthy, $"'{SharedService.LockName}' is not yet a member of those that share its partitions."), (ready.Status, ready.Description));
        Assert.Equal((HealthStatus.Healthy, "waiting"), ((await CoordinationAsync(a)).Entry.Status, (await CoordinationAsync(a)).Data["state"]));

        names.Fault = null;
        await cluster.SharedAsync(work, (a, 12));
        Assert.Equal((HealthStatus.Healthy, "member"), ((await ReadyAsync(a)).Status, (await CoordinationAsync(a)).Data["state"]));

        a.Store.AcquireGate = new TaskCompletionSource().Task;
        cluster.Store.Delete($"{SharedService.LockName}/members");
        await cluster.PassUntilAsync(work, () => a.Logged(MembershipLostLine) == 1, TimeSpan.FromMinutes(1), "it is a member no more");
        Assert.Equal((HealthStatus.Healthy, "waiting"), ((await ReadyAsync(a)).Status, (await CoordinationAsync(a)).Data["state"]));
        a.Store.AcquireGate = Task.CompletedTask;
    }

    [Theory]
    [Promise("G14")]
    [InlineData("CanLead", "may not lead", "CanLead is false")]
    [InlineData("drain", "drained", "is drained")]
    public async Task A_node_that_is_to_take_no_part_is_healthy_and_ready_and_says_why(string by, string state, string why)
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = Create(cluster, work, new PartitionNames(), options => options.CanLead = by != "CanLead");
        if (by == "drain")
        {
            await a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token);
        }

        await a.Host.StartAsync(Token);
        await cluster.PassUntilAsync(work, () => a.Logged(TakesNoPartLine) == 1, TimeSpan.FromMinutes(1), "it takes no part");
        var (entry, data) = await CoordinationAsync(a);
        Assert.Equal((HealthStatus.Healthy, HealthStatus.Healthy), (entry.Status, (await ReadyAsync(a)).Status));
        Assert.EndsWith($"{why}{(by == "drain" ? ": it leads nothing until it is resumed." : ".")}", entry.Description, StringComparison.Ordinal);
        Assert.Equal((state, false, by == "drain"), (data["state"], data["canLead"], entry.Data["drained"]));

        // It stays ready while it becomes a member, whatever that takes.
        var (gate, tries) = (new TaskCompletionSource(), a.Store.Tries);
        a.Store.AcquireGate = gate.Task;
        a.Host.Services.GetRequiredService<NodeDrain>().Resume();
        a.Partitions.SetCanLead(true);
        await Cluster.UntilAsync(() => a.Store.Tries > tries, "it asks to be a member");
        Assert.Equal((HealthStatus.Healthy, "waiting"), ((await ReadyAsync(a)).Status, (await CoordinationAsync(a)).Data["state"]));
        gate.SetResult();
        await cluster.SharedAsync(work, (a, 12));
        Assert.DoesNotContain(why, (await CoordinationAsync(a)).Entry.Description, StringComparison.Ordinal);
    }

    private static TestNode Create(Cluster cluster, PartitionWorkOfAll work, PartitionNames names, Action<PartitionedServiceOptions>? configure = null) => cluster.CreateNode("a", services =>
    {
        services.AddSingleton(work).AddSingleton(names);
        services.AddPartitionedBackgroundService<SharedService>(options =>
        {
            options.Partitions = 12;
            configure?.Invoke(options);
        });
        services.AddHealthChecks().AddCoordinationHealthCheck().AddCoordinationReadyCheck();
    });

    private static async Task<HealthReportEntry> ReadyAsync(TestNode node) => (await node.CheckHealthAsync()).Entries["coordination-ready"];

    private static async Task<(HealthReportEntry Entry, IReadOnlyDictionary<string, object> Data)> CoordinationAsync(TestNode node)
    {
        var entry = (await node.CheckHealthAsync()).Entries["coordination"];
        return (entry, ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)entry.Data["locks"])[SharedService.LockName]);
    }
}
