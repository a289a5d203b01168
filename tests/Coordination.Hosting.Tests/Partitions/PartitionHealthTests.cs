using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>When a node that shares partitions is ready, and what it says where it is to take no part.</summary>
[Failure("F22", "F65")]
public sealed class PartitionHealthTests
{
    private const int CannotListLine = 1266;
    private const int ListsAgainLine = 1267;
    private const int LeavesOutLine = 1275;
    private const int LeavesOutNoMoreLine = 1276;
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
        var why = $"'{SharedService.LockName}' cannot name its partitions: that failed with TimeoutException. It knows of none yet, and takes no part.";
        Assert.Equal((HealthStatus.Unhealthy, $"'{SharedService.LockName}' is not yet a member of those that share its partitions. {why}"), (ready.Status, ready.Description));
        var (entry, data) = await CoordinationAsync(a);
        Assert.Equal((HealthStatus.Unhealthy, why, "waiting", "TimeoutException"), (entry.Status, entry.Description, data["state"], data["namingFailure"]));

        names.Fault = null;
        await cluster.SharedAsync(work, (a, 12));
        Assert.Equal((HealthStatus.Healthy, "member"), ((await ReadyAsync(a)).Status, (await CoordinationAsync(a)).Data["state"]));

        a.Store.AcquireGate = new TaskCompletionSource().Task;
        cluster.Store.Delete($"{SharedService.LockName}/members");
        await cluster.PassUntilAsync(work, () => a.Logged(MembershipLostLine) == 1, TimeSpan.FromMinutes(1), "it is a member no more");
        Assert.Equal((HealthStatus.Healthy, "waiting"), ((await ReadyAsync(a)).Status, (await CoordinationAsync(a)).Data["state"]));
        a.Store.AcquireGate = Task.CompletedTask;
    }

    [Fact]
    public async Task A_list_that_fails_later_degrades_and_no_more_when_there_is_one_again()
    {
        await using var cluster = new Cluster();
        var (work, names) = (new PartitionWorkOfAll(), new PartitionNames());
        var a = Create(cluster, work, names);
        await a.Host.StartAsync(Token);
        await cluster.SharedAsync(work, (a, 12));
        names.Fault = new TimeoutException("The database is away.");
        await cluster.PassUntilAsync(work, () => a.Logged(CannotListLine) == 1, TimeSpan.FromMinutes(2), "it cannot name the partitions");
        var (entry, data) = await CoordinationAsync(a);
        Assert.Equal(
            (HealthStatus.Degraded, $"'{SharedService.LockName}' cannot name its partitions: that failed with TimeoutException. It goes on with those that it knows.", 12, "TimeoutException"),
            (entry.Status, entry.Description, data["led"], data["namingFailure"]));
        Assert.Equal(HealthStatus.Healthy, (await ReadyAsync(a)).Status);

        names.Fault = null;
        await cluster.PassUntilAsync(work, () => a.Logged(ListsAgainLine) == 1, TimeSpan.FromMinutes(2), "it names them again");
        (entry, data) = await CoordinationAsync(a);
        Assert.Equal((HealthStatus.Healthy, false), (entry.Status, data.ContainsKey("namingFailure")));
    }

    [Theory]
    [InlineData("", "A name is empty. Give each partition a name.")]
    [InlineData(null, "A name is empty. Give each partition a name.")]
    [InlineData("half", "The name 'half\\uD83D' has half a surrogate pair. Give the partition a name that is valid Unicode.")]
    public async Task A_name_that_has_no_lock_is_left_out_said_once_and_degrades(string? name, string why)
    {
        await using var cluster = new Cluster();

        // Half a surrogate pair is nothing that an attribute can have.
        name = name == "half" ? "half\uD83D" : name;
        var (work, names) = (new PartitionWorkOfAll(), new PartitionNames { Now = ["north", name!, "south", name!] });
        var a = Create(cluster, work, names);
        await a.Host.StartAsync(Token);
        await cluster.SharedAsync(work, (a, 2));
        await cluster.PassAsync(work, TimeSpan.FromMinutes(2));
        var (entry, data) = await CoordinationAsync(a);
        Assert.Equal((HealthStatus.Degraded, $"'{SharedService.LockName}' leaves out 2 of the names of its partitions, and no node leads those. {why}"), (entry.Status, entry.Description));
        Assert.Equal((2, 2, 2), (data["led"], data["partitions"], data["leftOut"]));
        Assert.Equal((1, 0), (a.Logged(LeavesOutLine), a.Logged(CannotListLine)));

        names.Now = ["north", "south", "east"];
        await cluster.SharedAsync(work, (a, 3));
        Assert.Equal((HealthStatus.Healthy, 1, 1), ((await CoordinationAsync(a)).Entry.Status, a.Logged(LeavesOutLine), a.Logged(LeavesOutNoMoreLine)));
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
