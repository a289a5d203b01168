using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Services;

/// <summary>Nodes that may not lead in a service: by the options, by a reload of them, and by what is said at run time.</summary>
public sealed class CanLeadTests
{
    private const int MayNotLeadLine = 1244;
    private const int ReloadFailedLine = 1248;
    private const string Key = "Coordination:Services:WorkingService:CanLead";

    [Fact]
    [Promise("G14")]
    public async Task A_node_that_may_not_lead_stands_in_no_queue_and_is_healthy()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.CanLead = false, static s => s.AddHealthChecks().AddCoordinationHealthCheck());
        await Cluster.UntilAsync(() => a.Logged(MayNotLeadLine) == 1, "a says that it may not lead");
        await cluster.AdvanceAsync(Cluster.LeaseDuration);
        Assert.Equal((0, false), (a.Store.Tries, a.Leadership.CanLead));
        var health = await a.CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, health.Status);
        Assert.Contains("CanLead is false", health.Entries.Single().Value.Description, StringComparison.Ordinal);

        a.Leadership.SetCanLead(true);
        await a.LeadsAsync();
        Assert.True(a.Leadership.CanLead);
    }

    [Fact]
    [Promise("G10", "G14")]
    [Failure("F21")]
    public async Task A_leader_that_may_lead_no_more_steps_down_and_the_lock_passes()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", work: work);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        a.Leadership.SetCanLead(false);
        await Cluster.UntilAsync(() => work.WasTold, "the work of a is told to stop");
        Assert.Equal((true, 0), (a.Leadership.IsLeader, b.Work.Terms));
        work.LetGo();
        await b.LeadsAsync();
        await Cluster.UntilAsync(() => a.Logged(MayNotLeadLine) == 1, "a stays away");
        var tries = a.Store.Tries;
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, b.Work.Term);
        Assert.Equal(tries, a.Store.Tries);
        Assert.Contains("SteppedDown", a.Log.Single(record => record.Id.Id == 1202).Message, StringComparison.Ordinal);
        AssertQuiet(a);
    }

    [Fact]
    [Promise("G8")]
    [Failure("F5")]
    public async Task A_standby_that_may_lead_no_more_leaves_the_queue_and_comes_back_when_it_may()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        b.Leadership.SetCanLead(false);
        await Cluster.UntilAsync(() => b.Logged(MayNotLeadLine) == 1, "b has left");
        Assert.Equal(0, (await cluster.Store.InspectAsync(WorkingService.LockName, 10, TestContext.Current.CancellationToken)).WaiterCount);

        await a.StopAsync();
        Assert.Equal(0, b.Work.Terms);
        b.Leadership.SetCanLead(null);
        await b.LeadsAsync();
        AssertQuiet(b);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F84")]
    public async Task A_reload_of_the_configuration_counts_unless_it_was_said_at_run_time()
    {
        await using var cluster = new Cluster();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
        var a = await cluster.StartNodeAsync("a", services: s => s.AddSingleton<IConfiguration>(configuration));
        await a.LeadsAsync();
        Set(configuration, "false");
        await Cluster.UntilAsync(() => a.Logged(MayNotLeadLine) == 1, "a leads no more");
        Set(configuration, "true");
        await Cluster.UntilAsync(() => a.Work.Terms == 2, "a leads again");

        // What cannot be read, or is out of its range, changes nothing, and reaches nobody who reads the configuration again.
        Set(configuration, "maybe");
        Assert.Equal((1, true), (a.Logged(ReloadFailedLine), a.Leadership.CanLead));
        configuration["Coordination:Services:WorkingService:Instances"] = "0";
        Set(configuration, "false");
        Assert.Equal((2, true), (a.Logged(ReloadFailedLine), a.Leadership.CanLead));
        configuration["Coordination:Services:WorkingService:Instances"] = null;

        a.Leadership.SetCanLead(true);
        Set(configuration, "false");
        Assert.True(a.Leadership.CanLead);
        a.Leadership.SetCanLead(null);
        await Cluster.UntilAsync(() => a.Logged(MayNotLeadLine) == 2, "the option counts again");
    }

    [Fact]
    public async Task A_lock_that_this_process_does_not_contend_for_says_that_nothing_can_be_set()
    {
        await using var cluster = new Cluster();
        var a = cluster.CreateNode("a", static s => s.AddLeadership("elsewhere"));
        var leadership = a.Host.Services.GetRequiredKeyedService<ILeadership>("elsewhere");
        Assert.False(leadership.CanLead);
        Assert.Contains("'elsewhere'", Assert.Throws<InvalidOperationException>(() => leadership.SetCanLead(true)).Message, StringComparison.Ordinal);
    }

    private static void Set(IConfigurationRoot configuration, string value)
    {
        configuration[Key] = value;
        configuration.Reload();
    }

    private static void AssertQuiet(TestNode node) => Assert.DoesNotContain(node.Log, record => record.Level >= LogLevel.Warning);
}
