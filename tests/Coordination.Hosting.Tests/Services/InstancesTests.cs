using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Services;

/// <summary>Services of which several nodes do the work at a time.</summary>
public sealed class InstancesTests
{
    private static readonly TimeSpan SafetyMargin = Cluster.LeaseDuration / 5;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G1", "G3")]
    public async Task Of_four_nodes_three_lead_each_with_a_number_and_a_token_of_its_own()
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var nodes = await StartAsync(cluster, work, instances: 3, "a", "b", "c", "d");
        var (leaders, d) = (nodes[..3], nodes[3]);

        Assert.Equal([0, 1, 2], leaders.Select(node => node.Work.Term.Instance));
        Assert.Equal(3, leaders.Select(node => node.Work.Term.FencingToken).Distinct().Count());
        Assert.All(leaders, node => Assert.Contains($"instance {node.Work.Term.Instance}, token {node.Work.Term.FencingToken}", Line(node, 1201), StringComparison.Ordinal));

        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, TermsOf(leaders));
        Assert.Equal((0, false), (d.Work.Terms, d.Leadership.IsLeader));
        Assert.All(leaders, node => Assert.Equal((1, LeaseState.Held), (node.Work.Terms, node.Work.Term.State)));
        Assert.Empty(work.Wrongs);
    }

    [Fact]
    [Promise("G1")]
    public async Task A_node_never_leads_twice_in_a_service()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.Instances = 3);
        await a.LeadsAsync();
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, a.Work.Term);
        var inspected = await cluster.Store.InspectAsync(WorkingService.LockName, 10, Token);
        Assert.Equal((LockCapacity.Semaphore(3), 1, 0), (inspected.Capacity, inspected.Holders.Count, inspected.Waiters.Count));
        Assert.Equal(1, a.Work.Terms);
    }

    [Fact]
    [Promise("G1")]
    public async Task With_one_instance_the_lock_is_an_exclusive_one()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.Instances = 1);
        await a.LeadsAsync();
        Assert.Equal((null, 0), (a.Work.Term.Permit, a.Work.Term.Instance));
        Assert.Equal(LockCapacity.Exclusive, (await cluster.Store.InspectAsync(WorkingService.LockName, 0, Token)).Capacity);
    }

    [Fact]
    [Promise("G10")]
    public async Task A_stop_awaits_the_work_and_then_a_standby_has_the_number()
    {
        await using var cluster = new Cluster();
        var draining = new Work();
        draining.Do = draining.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", Two);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", Two, work: draining);
        await b.LeadsAsync();
        var c = await cluster.StartNodeAsync("c", Two);
        await c.StandsByAsync();

        var stop = b.StopAsync();
        await Cluster.UntilAsync(() => b.Work.WasTold, "the work of b is told to stop");
        Assert.False(stop.IsCompleted);
        Assert.Equal(2, (await cluster.Store.InspectAsync(WorkingService.LockName, 0, Token)).Holders.Count);
        Assert.Equal(0, c.Work.Terms);

        // The clock stands still from here on: nothing but the release can make c a leader.
        draining.LetGo();
        await stop;
        await c.LeadsAsync();
        Assert.Equal(1, c.Work.Term.Instance);
        Assert.True(c.Work.Term.FencingToken > b.Work.Term.FencingToken);
        Assert.Equal((1, true), (a.Work.Terms, a.Work.IsRunning));

        // The lowest number that is free comes first.
        await a.StopAsync();
        var d = await cluster.StartNodeAsync("d", Two);
        await d.LeadsAsync();
        Assert.Equal(0, d.Work.Term.Instance);
    }

    [Fact]
    [Promise("G2", "G4")]
    public async Task After_a_crash_it_is_told_first_and_a_standby_leads_within_the_lease()
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var nodes = await StartAsync(cluster, work, instances: 3, "a", "b", "c", "d");
        var (a, b, c, d) = (nodes[0], nodes[1], nodes[2], nodes[3]);

        // As far as the others can know: b is told by its own clock alone.
        var crashed = cluster.Time.GetUtcNow();
        b.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceUntilAsync(() => d.Work.IsRunning, 2 * Cluster.LeaseDuration, "d leads", TimeSpan.FromMilliseconds(50), a.Work.Term, c.Work.Term);

        Assert.InRange(d.TimesOf(1201)[0] - crashed, TimeSpan.Zero, Cluster.LeaseDuration + TimeSpan.FromMilliseconds(250));
        Assert.True(b.TimesOf(1203)[0] + SafetyMargin <= d.TimesOf(1201)[0] + TimeSpan.FromMilliseconds(50));
        Assert.Equal(1, d.Work.Term.Instance);
        Assert.True(d.Work.Term.FencingToken > b.Work.Term.FencingToken);
        Assert.Equal((1, LeaseState.Held, 1, LeaseState.Held), (a.Work.Terms, a.Work.Term.State, c.Work.Terms, c.Work.Term.State));
        Assert.Empty(work.Wrongs);

        b.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => b.Store.IsQueued, Cluster.LeaseDuration, "b stands by", keep: TermsOf(a, c, d));
        await d.StopAsync();
        await Cluster.UntilAsync(() => b.Work.Terms == 2, "b leads again");
        Assert.Equal(1, b.Work.Term.Instance);
    }

    [Fact]
    [Promise("G14")]
    public async Task A_leader_that_steps_down_passes_its_number_on_and_stays_away()
    {
        await using var cluster = new Cluster();
        var work = new WorkOfAll();
        var nodes = await StartAsync(cluster, work, instances: 2, "a", "b", "c");
        var (a, b, c) = (nodes[0], nodes[1], nodes[2]);
        a.Work.Term.StepDown(TimeSpan.FromMinutes(1));
        await c.LeadsAsync();
        Assert.Equal(0, c.Work.Term.Instance);
        Assert.Equal((1, true), (b.Work.Terms, b.Work.IsRunning));

        await b.StopAsync();
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(55), c.Work.Term);
        Assert.Equal(1, a.Work.Terms);
        await cluster.AdvanceUntilAsync(() => a.Work.Terms == 2, TimeSpan.FromSeconds(20), "a leads again", keep: c.Work.Term);
        await a.LeadsAsync();
        Assert.Equal(1, a.Work.Term.Instance);
        Assert.Empty(work.Wrongs);
        Assert.DoesNotContain(a.Log, record => record.Level >= LogLevel.Warning);
    }

    [Fact]
    [Failure("F26")]
    public async Task Work_that_throws_and_a_lease_that_is_revoked_leave_the_other_leaders_alone()
    {
        await using var cluster = new Cluster();
        var failing = new Work { Do = (_, _) => throw new InvalidOperationException("The work failed.") };
        var a = await cluster.StartNodeAsync("a", Two);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", Two, work: failing);
        await Cluster.UntilAsync(() => b.Logged(1204) == 1, "b fails");
        failing.Do = Work.UntilToldAsync;
        var c = await cluster.StartNodeAsync("c", Two);
        await c.LeadsAsync();
        Assert.Equal(1, c.Work.Term.Instance);
        await cluster.AdvanceUntilAsync(() => b.Store.IsQueued, TimeSpan.FromSeconds(10), "b stands by", keep: TermsOf(a, c));

        Assert.True(await a.Host.Services.GetRequiredService<ILockInspector>().RevokeAsync(WorkingService.LockName, c.Work.Term.FencingToken, Token));
        await b.LeadsAsync();
        Assert.Equal((1, 1, true), (b.Work.Term.Instance, a.Work.Terms, a.Work.IsRunning));
        await Cluster.UntilAsync(() => c.Work.Term.State == LeaseState.Lost && c.Store.IsQueued, "c stands by again");
    }

    private static void Two(ExclusiveServiceOptions options) => options.Instances = 2;

    private static string Line(TestNode node, int id) => node.Log.Last(record => record.Id.Id == id).Message;

    private static ILease[] TermsOf(params ReadOnlySpan<TestNode> nodes) => [.. nodes.ToArray().Select(node => node.Work.Term)];

    /// <summary>Starts nodes of which the first ones lead, one after another, and the others stand by.</summary>
    private static async Task<TestNode[]> StartAsync(Cluster cluster, WorkOfAll work, int instances, params string[] names)
    {
        var nodes = new List<TestNode>();
        foreach (var name in names)
        {
            var node = await cluster.StartNodeAsync(name, o => o.Instances = instances, work: work.Of(instances));
            await (nodes.Count < instances ? node.LeadsAsync() : node.StandsByAsync());
            nodes.Add(node);
        }

        return [.. nodes];
    }
}
