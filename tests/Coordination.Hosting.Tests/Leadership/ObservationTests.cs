using System.Collections.Concurrent;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Leadership;

/// <summary>F89: how a node learns who leads, and what it asks for that.</summary>
public sealed class ObservationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F89")]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(7, false)]
    [InlineData(7, true)]
    public async Task A_watched_standby_learns_of_a_new_leader_soon_wherever_it_waits(int nodesBefore, bool isCrash)
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var standbys = new List<TestNode>();
        for (var i = 0; i <= nodesBefore; i++)
        {
            standbys.Add(await cluster.StartNodeAsync($"b{i}"));
            await standbys[i].StandsByAsync();
        }

        var (b, last) = (standbys[0], standbys[^1]);
        var changes = Watch(last.Leadership);
        await Cluster.UntilAsync(() => !changes.IsEmpty, "the last is watched");

        if (isCrash)
        {
            // As far as the others can know.
            a.Store.Fault = StoreWithFaults.Away;
        }
        else
        {
            await a.StopAsync();
        }

        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 2 * Cluster.LeaseDuration, "b leads", step: TimeSpan.FromMilliseconds(50));
        var began = cluster.Time.GetUtcNow();
        await cluster.AdvanceUntilAsync(() => Last(changes).Leader?.NodeId == b.NodeId, TimeSpan.FromSeconds(15), "the last knows", step: TimeSpan.FromMilliseconds(50), keep: b.Work.Term);

        // Two seconds and the question; on a busy machine some steps more.
        Assert.InRange(cluster.Time.GetUtcNow() - began, TimeSpan.Zero, TimeSpan.FromSeconds(2.5));
        Assert.Equal(LeadershipChangeCause.LeaderSeen, Last(changes).Cause);
        Assert.InRange(Last(changes).At, began, cluster.Time.GetUtcNow());
        var (questions, seen) = (last.Store.Questions, changes.Count);
        var end = cluster.Time.GetUtcNow() + (2 * Cluster.LeaseDuration);
        await cluster.AdvanceUntilAsync(() => cluster.Time.GetUtcNow() >= end, 3 * Cluster.LeaseDuration, "two leases pass", keep: b.Work.Term);
        Assert.InRange(last.Store.Questions - questions, 0, 16);
        Assert.Equal(seen, changes.Count);
    }

    [Fact]
    [Failure("F89")]
    public async Task Watched_standbys_ask_for_all_locks_together_once_a_second()
    {
        const int Services = 10;
        await using var cluster = new Cluster();
        var front = cluster.CreateNode("front", services =>
        {
            for (var i = 0; i < Services; i++)
            {
                services.AddLeadership($"service{i}");
            }
        });
        await front.Host.StartAsync(Token);
        var watches = Enumerable.Range(0, Services).Select(i => Watch(front.Host.Services.GetRequiredKeyedService<ILeadership>($"service{i}"))).ToList();
        await Cluster.UntilAsync(() => watches.All(changes => !changes.IsEmpty) && front.Store.Questions == Services, "all are watched, and asked for at first");
        var end = cluster.Time.GetUtcNow().AddSeconds(10);
        await cluster.AdvanceUntilAsync(() => cluster.Time.GetUtcNow() >= end, TimeSpan.FromSeconds(11), "ten seconds pass");
        Assert.InRange(front.Store.Questions - Services, 1, 11);
    }

    [Fact]
    [Failure("F89")]
    public async Task What_nobody_wants_to_know_is_not_asked()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", services: services => services.AddLeadership("another"));
        await Cluster.UntilAsync(() => b.Store.IsQueued, "b stands by");
        await cluster.AdvanceAsync(5 * Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal((0, 0), (a.Store.Questions, b.Store.Questions));
    }

    [Fact]
    [Failure("F89")]
    public async Task Who_asks_again_and_again_has_the_store_asked_once_a_second()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var front = cluster.CreateNode("front", services => services.AddLeadership(WorkingService.LockName));
        await front.Host.StartAsync(Token);
        var leadership = front.Host.Services.GetRequiredKeyedService<ILeadership>(WorkingService.LockName);
        await Cluster.UntilAsync(() => leadership.Leader?.NodeId == a.NodeId, "it knows");
        var questions = front.Store.Questions;
        var end = cluster.Time.GetUtcNow().AddSeconds(10);
        await cluster.AdvanceUntilAsync(() => leadership.Leader is null || cluster.Time.GetUtcNow() >= end, TimeSpan.FromSeconds(11), "ten seconds pass", keep: a.Work.Term);
        Assert.InRange(front.Store.Questions - questions, 1, 11);
        Assert.NotNull(leadership.Leader);
    }

    [Fact]
    [Failure("F68", "F89")]
    public async Task A_process_that_does_not_contend_can_say_who_leads_and_see_it_change()
    {
        await using var cluster = new Cluster();
        var front = cluster.CreateNode("front", services => services.AddLeadership(WorkingService.LockName).AddLeadership(WorkingService.LockName));
        await front.Host.StartAsync(Token);
        var leadership = front.Host.Services.GetRequiredKeyedService<ILeadership>(WorkingService.LockName);
        Assert.Equal([leadership], front.Host.Services.GetRequiredService<IEnumerable<ILeadership>>());
        Assert.Null(front.Host.Services.GetKeyedService<ILeadership>("unknown"));
        Assert.Null(await leadership.GetLeaderAsync(Token));
        var changes = Watch(leadership);

        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        await cluster.AdvanceUntilAsync(() => changes.LastOrDefault()?.Leader?.NodeId == a.NodeId, 2 * Cluster.LeaseDuration, "it sees a lead", keep: a.Work.Term);
        Assert.Equal((a.NodeId, false), (leadership.Leader?.NodeId, leadership.IsLeader));

        await a.StopAsync();
        await cluster.AdvanceUntilAsync(() => Last(changes).Leader is null, 2 * Cluster.LeaseDuration, "it sees that nobody does");
        Assert.Equal(LeadershipChangeCause.LeaderGone, Last(changes).Cause);
        Assert.Null(leadership.Leader);

        var b = await cluster.StartNodeAsync("b");
        await b.LeadsAsync();
        Assert.Equal(b.NodeId, (await leadership.GetLeaderAsync(Token))?.NodeId);
        Assert.Equal(b.NodeId, leadership.Leader?.NodeId);
        await cluster.EndAsync(front);
        await Cluster.UntilAsync(() => Last(changes).Cause == LeadershipChangeCause.HostStopped, "the watch has ended");
        Assert.Equal(0, front.Store.Tries);
    }

    [Fact]
    [Failure("F68")]
    public async Task The_leadership_of_a_lock_that_the_host_has_a_service_for_is_the_services()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: services => services.AddLeadership(WorkingService.LockName));
        await a.LeadsAsync();
        Assert.Same(a.Leadership, a.Host.Services.GetRequiredKeyedService<ILeadership>(WorkingService.LockName));
        Assert.All(a.Host.Services.GetServices<ILeadership>(), leadership => Assert.Same(a.Leadership, leadership));
    }

    [Fact]
    [Failure("F89")]
    public async Task A_store_that_replies_and_grants_nothing_is_asked_less_and_less_often()
    {
        const int Services = 50;
        await using var cluster = new Cluster();
        var front = cluster.CreateNode("front", services =>
        {
            for (var i = 0; i < Services; i++)
            {
                services.AddLeadership($"service{i}").Configure<CoordinationOptions>(o => o.LeaseDuration = TimeSpan.FromSeconds(1));
            }
        });
        await front.Host.StartAsync(Token);
        front.Store.AcquireFault = new LockStoreException("This node may not write.");
        await Assert.ThrowsAsync<LockStoreException>(() => front.Host.Services.GetRequiredService<ILockProvider>().GetLock("other").TryAcquireAsync(Token));
        Assert.NotNull(front.Host.Services.GetRequiredService<StoreCondition>().Trouble);
        var watches = Enumerable.Range(0, Services).Select(i => Watch(front.Host.Services.GetRequiredKeyedService<ILeadership>($"service{i}"))).ToList();
        await Cluster.UntilAsync(() => watches.All(changes => !changes.IsEmpty), "all are watched");
        var end = cluster.Time.GetUtcNow().AddMinutes(1);
        await cluster.AdvanceUntilAsync(() => cluster.Time.GetUtcNow() >= end, TimeSpan.FromMinutes(2), "a minute passes");

        // At 0, 1, 3, 7, 15, 31 and then each half a minute.
        Assert.InRange(front.Store.Questions, 2, 7);
    }

    [Fact]
    [Failure("F89")]
    public async Task The_log_of_a_new_leader_says_whom_it_follows_and_how_that_term_ended()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var (tokenA, idA) = (a.Work.Term.FencingToken, a.NodeId);
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        await a.StopAsync();
        await b.LeadsAsync();
        Assert.Equal(0, a.Logged(1218));
        Assert.Contains($"follows node {idA}, token {tokenA}, as the leader by the lock '{WorkingService.LockName}'. That term is over: it was released, or revoked.", Line(b), StringComparison.Ordinal);

        var c = await cluster.StartNodeAsync("c");
        await c.StandsByAsync();
        b.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceUntilAsync(() => c.Work.IsRunning, 2 * Cluster.LeaseDuration, "c leads");
        Assert.Contains($"follows node {b.NodeId}, ", Line(c), StringComparison.Ordinal);
        Assert.EndsWith("its lease ran out.", Line(c), StringComparison.Ordinal);

        c.Work.Term.StepDown();
        await Cluster.UntilAsync(() => c.Work.Terms == 2, "nobody else is there, so c leads again");
        Assert.EndsWith("it was this node's own: SteppedDown.", Line(c), StringComparison.Ordinal);

        static string Line(TestNode node) => node.Log.Last(record => record.Id.Id == 1218).Message;
    }

    /// <summary>What the store tells of a lock that is kept after its release, and what a node knows of its own term.</summary>
    [Fact]
    [Failure("F89")]
    public async Task The_log_of_a_new_leader_says_released_or_revoked_where_it_can_be_known()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.LockOptions = new LockOptions { LockAtLeastFor = TimeSpan.FromMinutes(1) });
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        await a.StopAsync();
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, TimeSpan.FromMinutes(2), "b leads");
        Assert.EndsWith("it was released.", Line(b), StringComparison.Ordinal);

        Assert.True(await b.Host.Services.GetRequiredService<ILockInspector>().RevokeAsync(WorkingService.LockName, b.Work.Term.FencingToken, Token));
        await cluster.AdvanceUntilAsync(() => b.Work.Terms == 2, TimeSpan.FromMinutes(1), "nobody else is there, so b leads again");
        Assert.EndsWith("it was this node's own: Lost, Revoked.", Line(b), StringComparison.Ordinal);

        static string Line(TestNode node) => node.Log.Last(record => record.Id.Id == 1218).Message;
    }

    [Theory]
    [Failure("F68")]
    [InlineData(LeadershipChangeCause.WorkCompleted)]
    [InlineData(LeadershipChangeCause.WorkFailed)]
    [InlineData(LeadershipChangeCause.SteppedDown)]
    [InlineData(LeadershipChangeCause.MaxTermReached)]
    [InlineData(LeadershipChangeCause.LeaseLost)]
    [InlineData(LeadershipChangeCause.HostStopped)]
    public async Task The_end_of_a_term_has_its_cause_and_its_time(LeadershipChangeCause cause)
    {
        await using var cluster = new Cluster();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = new Work
        {
            Do = cause switch
            {
                LeadershipChangeCause.WorkCompleted => (_, _) => go.Task,
                LeadershipChangeCause.WorkFailed => (_, _) => FailAsync(go.Task),
                _ => Work.UntilToldAsync,
            },
        };
        var a = await cluster.StartNodeAsync("a", o => (o.MaxTerm, o.MinRestartDelay) = (cause == LeadershipChangeCause.MaxTermReached ? TimeSpan.FromSeconds(30) : null, TimeSpan.FromSeconds(5)), work: work);
        await a.LeadsAsync();
        var changes = Watch(a.Leadership);
        await Cluster.UntilAsync(() => !changes.IsEmpty, "it is watched");
        var began = cluster.Time.GetUtcNow();
        cluster.Time.Advance(TimeSpan.FromMilliseconds(100));
        switch (cause)
        {
            case LeadershipChangeCause.SteppedDown:
                work.Term.StepDown(TimeSpan.FromSeconds(5));
                break;
            case LeadershipChangeCause.MaxTermReached:
                await cluster.AdvanceUntilAsync(() => Last(changes).At > began, TimeSpan.FromSeconds(40), "the term is over");
                break;
            case LeadershipChangeCause.LeaseLost:
                cluster.Store.Delete(WorkingService.LockName);
                await cluster.AdvanceUntilAsync(() => Last(changes).At > began, TimeSpan.FromSeconds(40), "the lease is lost");
                break;
            case LeadershipChangeCause.HostStopped:
                await a.StopAsync();
                break;
            default:
                go.SetResult();
                break;
        }

        await Cluster.UntilAsync(() => changes.Count > 1, "the change is seen");
        var end = changes.ToArray()[1];
        Assert.Equal((cause, false), (end.Cause, end.IsLeader));
        Assert.InRange(end.At, began.AddMilliseconds(100), cluster.Time.GetUtcNow());

        static async Task FailAsync(Task go)
        {
            await go;
            throw new InvalidOperationException("The work failed.");
        }
    }

    [Fact]
    [Failure("F68")]
    public async Task GetLeaderAsync_does_not_go_on_where_its_caller_may_be_waiting_for_it()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var context = new Counting();
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
        Task<LeaderInfo?> asked;
        try
        {
            asked = a.Leadership.GetLeaderAsync(Token);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        Assert.Equal(a.NodeId, (await asked.WaitAsync(TimeSpan.FromMinutes(1), Token))?.NodeId);
        Assert.Equal(0, context.Posts);
    }

    private static LeadershipChange Last(ConcurrentQueue<LeadershipChange> changes) => changes.Last();

    private static ConcurrentQueue<LeadershipChange> Watch(ILeadership leadership)
    {
        var seen = new ConcurrentQueue<LeadershipChange>();
        _ = Task.Run(async () =>
        {
            await foreach (var change in leadership.WatchAsync(Token))
            {
                seen.Enqueue(change);
            }
        });
        return seen;
    }

    /// <summary>A context that nobody comes back from, as the one of a user interface whose thread waits.</summary>
    private sealed class Counting : SynchronizationContext
    {
        private volatile int _posts;

        public int Posts => _posts;

        public override void Post(SendOrPostCallback d, object? state) => Interlocked.Increment(ref _posts);
    }
}
