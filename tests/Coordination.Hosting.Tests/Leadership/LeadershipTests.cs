using Coordination.Hosting.Tests.Nodes;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Leadership;

/// <summary>Asking who leads.</summary>
public sealed class LeadershipTests
{
    [Fact]
    public async Task Leader_and_standby_know_who_leads()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        Assert.False(b.Leadership.IsLeader);
        Assert.Equal(WorkingService.LockName, b.Leadership.LockName);
        Assert.Equal(new LeaderInfo { NodeId = a.NodeId, FencingToken = a.Work.Term.FencingToken, Since = cluster.Time.GetUtcNow() }, b.Leadership.Leader);
        Assert.Equal(b.Leadership.Leader, a.Leadership.Leader);
        Assert.Equal(b.Leadership.Leader, await b.Leadership.GetLeaderAsync(TestContext.Current.CancellationToken));
        await Cluster.UntilAsync(() => b.Logged(1208) == 1, "b says once who leads");

        await a.StopAsync();
        await b.LeadsAsync();
        Assert.False(a.Leadership.IsLeader);
        Assert.Equal(b.NodeId, (await a.Leadership.GetLeaderAsync(TestContext.Current.CancellationToken))?.NodeId);
        await b.StopAsync();
        Assert.Null(await b.Leadership.GetLeaderAsync(TestContext.Current.CancellationToken));
        Assert.Null(b.Leadership.Leader);
    }

    [Fact]
    public async Task A_standby_sees_a_new_leader_within_a_lease_duration_and_says_it_once()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        var c = await cluster.StartNodeAsync("c");
        await c.StandsByAsync();

        await a.StopAsync();
        await b.LeadsAsync();
        await cluster.AdvanceUntilAsync(() => c.Leadership.Leader?.NodeId == b.NodeId, 2 * Cluster.LeaseDuration, "c sees b lead", keep: b.Work.Term);
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, b.Work.Term);
        Assert.Equal(2, c.Logged(1208));
    }

    [Fact]
    public async Task A_standby_does_not_know_who_leads_while_the_store_is_away_and_is_quiet_about_it()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        b.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceUntilAsync(() => b.Leadership.Leader is null, 2 * Cluster.LeaseDuration, "b does not know who leads", keep: a.Work.Term);
        await Assert.ThrowsAsync<LockStoreException>(async () => await b.Leadership.GetLeaderAsync(TestContext.Current.CancellationToken));
        Assert.DoesNotContain(b.Log, record => record.Id.Id is >= 1200 and < 1300 and not (1200 or 1208));

        b.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => b.Leadership.Leader?.NodeId == a.NodeId, 2 * Cluster.LeaseDuration, "b knows again", keep: a.Work.Term);
    }

    [Fact]
    [Failure("F40")]
    public async Task Many_services_ask_a_store_that_is_away_five_times_a_second_at_most()
    {
        const int Services = 50;
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: AddServices);
        await Cluster.UntilAsync(() => Leaderships(a).All(leadership => leadership.IsLeader), "the node leads everywhere");
        var b = await cluster.StartNodeAsync("b", services: AddServices);
        await Cluster.UntilAsync(() => Leaderships(b).All(leadership => leadership.Leader is not null), "the other sees that");
        b.Store.Fault = StoreWithFaults.Away;
        var condition = b.Host.Services.GetRequiredService<StoreCondition>();
        await cluster.AdvanceUntilAsync(() => condition.Trouble is not null && Leaderships(b).All(leadership => leadership.Leader is null), TimeSpan.FromSeconds(10), "it is known to be away");
        var (questions, tries) = (b.Store.Questions, b.Store.Tries);
        var end = cluster.Time.GetUtcNow().AddSeconds(10);
        await cluster.AdvanceUntilAsync(() => cluster.Time.GetUtcNow() >= end, TimeSpan.FromSeconds(10), "ten seconds pass");
        Assert.Equal(questions, b.Store.Questions);
        Assert.InRange(b.Store.Tries - tries, 1, 5 * 10);
        b.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => Leaderships(b).All(leadership => leadership.Leader is not null), TimeSpan.FromSeconds(10), "it is back");

        static void AddServices(IServiceCollection services)
        {
            for (var i = 0; i < Services; i++)
            {
                var name = $"service{i}";
                services.AddExclusiveBackgroundService<WorkingService>(name, o => (o.LockName, o.LockOptions) = (name, new LockOptions { LeaseDuration = TimeSpan.FromSeconds(1) }));
            }
        }

        static IEnumerable<ILeadership> Leaderships(TestNode node) =>
            Enumerable.Range(0, Services).Select(i => node.Host.Services.GetRequiredKeyedService<ILeadership>($"service{i}"));
    }

    [Fact]
    [Failure("F40", "F58")]
    public async Task A_standby_knows_who_leads_while_its_store_replies_and_grants_nothing()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        b.Store.AcquireFault = new LockStoreException("The server is out of memory.", isTransient: true);
        await cluster.AdvanceUntilAsync(() => b.Host.Services.GetRequiredService<StoreCondition>().Trouble is not null, 2 * Cluster.LeaseDuration, "the standby has asked", keep: a.Work.Term);
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, a.Work.Term);
        var questions = b.Store.Questions;
        await cluster.AdvanceUntilAsync(() => b.Leadership.Leader is not null, 4 * Cluster.LeaseDuration, "it knows when it is asked", keep: a.Work.Term);
        Assert.Equal(a.NodeId, b.Leadership.Leader?.NodeId);
        Assert.True(b.Store.Questions > questions);
    }

    [Fact]
    public async Task WatchAsync_gives_what_is_then_each_change_and_ends_when_the_service_has_stopped()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        var seenByA = CollectAsync(a.Leadership);
        var seenByB = CollectAsync(b.Leadership);
        var leaderA = a.Leadership.Leader;
        await a.StopAsync();
        await b.LeadsAsync();
        var leaderB = b.Leadership.Leader;
        await b.StopAsync();

        var stopped = Change(false, null, LeadershipChangeCause.HostStopped);
        Assert.Equal([Change(true, leaderA, LeadershipChangeCause.TermBegan), stopped], await seenByA);
        Assert.Equal([Change(false, leaderA, LeadershipChangeCause.LeaderSeen), Change(true, leaderB, LeadershipChangeCause.TermBegan), stopped], await seenByB);

        // A service that has stopped says so, and has no changes to wait for.
        Assert.Equal([stopped], await CollectAsync(b.Leadership));
        LeadershipChange Change(bool isLeader, LeaderInfo? leader, LeadershipChangeCause cause) =>
            new() { LockName = WorkingService.LockName, IsLeader = isLeader, Leader = leader, Leaders = leader is null ? [] : [leader], Cause = cause, At = cluster.Time.GetUtcNow() };
    }

    [Fact]
    public async Task On_a_store_with_no_administration_a_standby_learns_who_leads_when_it_is_refused()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", services: services => services.AddSingleton<ILockStore>(new StoreWithoutAdministration(cluster.Store)));
        await Assert.ThrowsAsync<NotSupportedException>(() => b.Leadership.GetLeaderAsync(TestContext.Current.CancellationToken));
        await Cluster.UntilAsync(() => b.Leadership.Leader?.NodeId == a.NodeId, "it knows who leads");

        await a.StopAsync();
        await b.LeadsAsync();
        Assert.DoesNotContain(b.Log, record => record.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task WatchAsync_ends_with_its_token()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        using var enough = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var change in a.Leadership.WatchAsync(enough.Token))
            {
                await enough.CancelAsync();
            }
        });
    }

    [Fact]
    public async Task A_slow_watcher_holds_up_nobody_and_gets_the_latest()
    {
        await using var cluster = new Cluster();
        var work = new Work { Do = (_, _) => Task.CompletedTask };
        var a = await cluster.StartNodeAsync("a", o => o.AfterCompletion = CompletionAction.ContendAgain, work: work);
        await using var slow = a.Leadership.WatchAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await slow.MoveNextAsync());

        var before = work.Terms;
        await Cluster.UntilAsync(() => work.Terms > before + 100, "a hundred terms, unwatched");
        var last = new TaskCompletionSource();
        work.Do = (term, stoppingToken) =>
        {
            last.SetResult();
            return Work.UntilToldAsync(term, stoppingToken);
        };
        await Cluster.UntilAsync(() => last.Task.IsCompleted, "a last term");
        var latest = a.Leadership.Leader;
        var read = 0;
        while (slow.Current.Leader != latest)
        {
            Assert.True(await slow.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
            read++;
        }

        Assert.True(read <= 16);
        Assert.True(slow.Current.IsLeader);
    }

    private static async Task<List<LeadershipChange>> CollectAsync(ILeadership leadership)
    {
        var seen = new List<LeadershipChange>();
        await foreach (var change in leadership.WatchAsync(TestContext.Current.CancellationToken))
        {
            seen.Add(change);
        }

        return seen;
    }
}
