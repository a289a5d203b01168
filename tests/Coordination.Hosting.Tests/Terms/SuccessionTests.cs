using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>Who leads next: the node that is named, or the one that is preferred.</summary>
public sealed class SuccessionTests
{
    private static readonly TimeSpan Dwell = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G14")]
    [Failure("F21", "F60")]
    [InlineData("term")]
    [InlineData("leadership")]
    [InlineData("another node")]
    [InlineData("operator")]
    public async Task The_lock_passes_to_the_node_that_is_named_after_the_work_has_returned(string by)
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", work: work);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        var c = await cluster.StartNodeAsync("c");
        await c.StandsByAsync();

        Task<StepDownResult> stepping = Task.FromResult(StepDownResult.SteppedDown);
        switch (by)
        {
            case "term":
                a.Work.Term.StepDown(successor: "c");
                break;
            case "leadership":
                stepping = a.Leadership.StepDownAsync(successor: c.NodeId, cancellationToken: Token);
                break;
            case "another node":
                stepping = b.Leadership.StepDownAsync(successor: "c", cancellationToken: Token);
                break;
            case "operator":
                stepping = a.Host.Services.GetRequiredService<ILockInspector>().StepDownAsync(WorkingService.LockName, "c", cancellationToken: Token);
                break;
        }

        await Cluster.UntilAsync(() => work.WasTold, "the work of a is told");
        Assert.Equal((true, 0, 0), (a.Leadership.IsLeader, b.Work.Terms, c.Work.Terms));
        work.LetGo();
        await c.LeadsAsync();
        await cluster.AdvanceUntilAsync(() => stepping.IsCompleted, TimeSpan.FromSeconds(5), "who asked knows", keep: [c.Work.Term]);
        Assert.Equal((StepDownResult.SteppedDown, 0), (await stepping, b.Work.Terms));

        // The holder looks for the name as well, and would hide that who asks has not found it.
        if (by is "another node" or "operator")
        {
            var asker = by == "operator" ? a : b;
            await Cluster.UntilAsync(() => asker.Logged(1016) >= 1, "who asks says for whom");
            Assert.Contains(c.NodeId, asker.Log.First(record => record.Id.Id == 1016).Message, StringComparison.Ordinal);
        }

        await Cluster.UntilAsync(() => a.Logged(1250) == 1, "a says to whom it passed the lock");
        Assert.Contains(c.NodeId, a.Log.Single(record => record.Id.Id == 1250).Message, StringComparison.Ordinal);
        Assert.All([a, b, c], AssertQuiet);
    }

    [Fact]
    [Promise("G14")]
    public async Task A_leader_makes_way_for_a_higher_rank_after_the_dwell_time_and_not_before()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", 1);
        await a.LeadsAsync();
        await cluster.AdvanceAsync(2 * Dwell, a.Work.Term);
        var b = await StartAsync(cluster, "b", 2);
        await b.StandsByAsync();
        await cluster.AdvanceAsync(Dwell - TimeSpan.FromSeconds(4), a.Work.Term);
        Assert.Equal(0, b.Work.Terms);
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 2 * Dwell, "b leads");
        Assert.Equal((1, "v2", 2L), (a.Logged(1249), b.Leadership.Leader?.Note, b.Leadership.Leader?.Rank));
        var seen = await a.Leadership.GetLeaderAsync(Token);
        Assert.Equal((b.NodeId, "v2", 2L), (seen?.NodeId, seen?.Note, seen?.Rank));

        await cluster.AdvanceAsync(4 * Dwell, b.Work.Term);
        Assert.Equal((1, 1), (a.Work.Terms, b.Work.Terms));
        Assert.All([a, b], AssertQuiet);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F54")]
    public async Task A_leader_that_may_not_see_who_waits_says_so_once_and_goes_on_to_lead()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", 1);
        await a.LeadsAsync();
        a.Store.InspectFault = new LockStoreException("The right is missing.");
        var b = await StartAsync(cluster, "b", 2);
        await b.StandsByAsync();
        await cluster.AdvanceUntilAsync(() => a.Logged(1254) == 1, 20 * Dwell, "a says so", keep: [a.Work.Term]);
        await cluster.AdvanceAsync(6 * Dwell, a.Work.Term);
        Assert.Equal((1, true, 0), (a.Logged(1254), a.Leadership.IsLeader, b.Work.Terms));
        Assert.Contains("The right is missing.", a.Log.Single(record => record.Id.Id == 1254).Message, StringComparison.Ordinal);

        a.Store.InspectFault = StoreWithFaults.Away;
        await cluster.AdvanceAsync(Dwell, a.Work.Term);
        Assert.Equal(1, a.Logged(1254));
        a.Store.InspectFault = null;
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 2 * Dwell, "b leads");
    }

    [Fact]
    [Promise("G9", "G14")]
    public async Task Nodes_of_one_rank_do_not_make_way_for_each_other()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", 1);
        await a.LeadsAsync();
        var b = await StartAsync(cluster, "b", 1);
        await b.StandsByAsync();
        await cluster.AdvanceAsync(6 * Dwell, a.Work.Term);
        Assert.Equal((1, 0), (a.Work.Terms, b.Work.Terms));
    }

    [Fact]
    [Promise("G14")]
    public async Task Nodes_of_one_rank_in_the_options_of_the_lock_do_not_make_way_either()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", Ranked);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", Ranked);
        await b.StandsByAsync();
        await cluster.AdvanceAsync(6 * Dwell, a.Work.Term);
        Assert.Equal((1, 0), (a.Work.Terms, b.Work.Terms));

        static void Ranked(ExclusiveServiceOptions options)
        {
            (options.LockOptions, options.PreferenceDwell) = (new LockOptions { Rank = 5 }, Dwell);
            options.PreferredNodes.Add("other");
        }
    }

    [Fact]
    [Promise("G14")]
    public async Task A_higher_rank_in_the_options_of_the_lock_is_preferred()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", static options => (options.LockOptions, options.PreferenceDwell) = (new LockOptions { Rank = 1 }, Dwell));
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", static options => (options.LockOptions, options.PreferenceDwell) = (new LockOptions { Rank = 2 }, Dwell));
        await b.StandsByAsync();
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 3 * Dwell, "b leads");
    }

    [Fact]
    [Promise("G14")]
    public async Task A_node_that_is_preferred_by_name_leads_before_one_of_a_higher_rank()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", 1, "c");
        await a.LeadsAsync();
        var b = await StartAsync(cluster, "b", 5, "c");
        await b.StandsByAsync();
        var c = await StartAsync(cluster, "c", 0, "c");
        await c.StandsByAsync();
        await cluster.AdvanceUntilAsync(() => c.Work.IsRunning, 3 * Dwell, "c leads");
        await cluster.AdvanceAsync(4 * Dwell, c.Work.Term);
        Assert.Equal((1, 0, 1), (a.Work.Terms, b.Work.Terms, c.Work.Terms));
    }

    [Theory]
    [Promise("G10", "G14")]
    [Failure("F22")]
    [InlineData(0, 1, 2, 3)]
    [InlineData(3, 2, 1, 0)]
    [InlineData(1, 0, 3, 2)]
    [InlineData(2, 3, 0, 1)]
    public async Task A_rolling_update_of_four_nodes_costs_two_terms_at_most(params int[] order)
    {
        await using var cluster = new Cluster();
        var old = new List<TestNode>();
        for (var i = 0; i < 4; i++)
        {
            old.Add(await StartAsync(cluster, $"old{i}", 1));
            await (i == 0 ? old[0].LeadsAsync() : old[i].StandsByAsync());
        }

        var all = new List<TestNode>(old);
        foreach (var i in order)
        {
            await old[i].StopAsync();
            await Cluster.UntilAsync(() => all.Any(node => node.Work.IsRunning), "one leads");
            var young = await StartAsync(cluster, $"new{i}", 2);
            all.Add(young);
            await Cluster.UntilAsync(() => young.Store.IsQueued || young.Work.IsRunning, "the new one stands by");
        }

        await cluster.AdvanceUntilAsync(() => all.Skip(4).Any(node => node.Work.IsRunning), 3 * Dwell, "a new one leads");
        Assert.InRange(all.Sum(node => node.Work.Terms) - 1, 1, 2);
        Assert.All(all, AssertQuiet);
    }

    [Theory]
    [Promise("G10", "G14")]
    [Failure("F22")]
    [InlineData(0, 1, 2, 3)]
    [InlineData(3, 2, 1, 0)]
    [InlineData(1, 0, 3, 2)]
    [InlineData(2, 3, 0, 1)]
    public async Task An_update_with_one_node_more_that_waits_for_ready_costs_two_terms(params int[] order)
    {
        await using var cluster = new Cluster();
        var old = new List<TestNode>();
        for (var i = 0; i < 4; i++)
        {
            old.Add(await StartAsync(cluster, $"old{i}", 1));
            await (i == 0 ? old[0].LeadsAsync() : old[i].StandsByAsync());
        }

        var all = new List<TestNode>(old);
        foreach (var i in order)
        {
            // Its way to the store is slow, and who replaces nodes knows nothing of that.
            var slow = new TaskCompletionSource();
            var young = cluster.CreateNode($"new{i}", services =>
            {
                services.AddExclusiveBackgroundService<WorkingService>(options => Configure(options, 2));
                services.AddHealthChecks().AddCoordinationReadyCheck();
            });
            young.Store.AcquireGate = slow.Task;
            await young.Host.StartAsync(Token);
            await Cluster.UntilAsync(() => young.Store.Tries > 0, "the new one asks");
            Assert.False(IsReady(young));
            slow.SetResult();
            await Cluster.UntilAsync(() => IsReady(young), "the new one is ready");
            all.Add(young);
            await old[i].StopAsync();
            await Cluster.UntilAsync(() => all.Any(node => node.Work.IsRunning), "one leads");
        }

        Assert.Equal(1, all.Skip(4).Count(node => node.Work.IsRunning));
        Assert.Equal(2, all.Sum(node => node.Work.Terms));
        Assert.All(all, AssertQuiet);

        static bool IsReady(TestNode node) => node.CheckHealthAsync().GetAwaiter().GetResult().Status == HealthStatus.Healthy;
    }

    private static Task<TestNode> StartAsync(Cluster cluster, string name, long rank, params string[] preferred) => cluster.StartNodeAsync(name, options => Configure(options, rank, preferred));

    private static void Configure(ExclusiveServiceOptions options, long rank, params string[] preferred)
    {
        (options.Rank, options.Note, options.PreferenceDwell) = (rank, $"v{rank}", Dwell);
        foreach (var node in preferred)
        {
            options.PreferredNodes.Add(node);
        }
    }

    private static void AssertQuiet(TestNode node) => Assert.DoesNotContain(
        node.Log, record => record.Level >= LogLevel.Warning && record.Category?.StartsWith("Microsoft.Extensions.Diagnostics.HealthChecks", StringComparison.Ordinal) != true);
}
