using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>A preferred node whose work fails is preferred less and less often; one that was told to stop is preferred as before.</summary>
public sealed class AbstentionTests
{
    private const long Abstaining = long.MinValue;
    private const int Began = 1201;
    private const int Abstains = 1252;
    private const int AbstainsNoMore = 1253;
    private static readonly TimeSpan Dwell = TimeSpan.FromSeconds(6);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G14")]
    [Failure("F65")]
    [InlineData(1, false, 0)]
    [InlineData(2, false, 0)]
    [InlineData(3, false, 15)]
    [InlineData(2, true, 0)]
    [InlineData(3, true, 15)]
    public async Task A_preferred_node_that_always_fails_leads_less_and_less_often(int others, bool byName, int worksFor)
    {
        await using var cluster = new Cluster();
        var good = new List<TestNode>();
        for (var i = 0; i < others; i++)
        {
            good.Add(await StartAsync(cluster, $"good{i}", byName ? null : 1));
            await (i == 0 ? good[0].LeadsAsync() : good[i].StandsByAsync());
        }

        var failing = new Work
        {
            Do = async (_, stop) =>
            {
                // By the clock that moves by hand.
                await Task.Delay(TimeSpan.FromSeconds(worksFor), cluster.Time, stop);
                throw new InvalidOperationException("it fails");
            },
        };
        var bad = await StartAsync(cluster, "bad", byName ? null : 2, failing);
        await bad.StandsByAsync();

        // It leads first after a dwell time, and then after 2 and one more, 4, 8, 16. At each dwell time it were thirty terms by then.
        var began = cluster.Time.GetUtcNow();
        await PassAsync(cluster, 400 * Dwell, () => TimesIn(bad).Count() == 5, [.. good, bad]);
        Assert.Equal([2, 4, 8, 16, 32], TimesIn(bad).Select(static time => time / Dwell));
        Assert.Equal(5, failing.Terms);
        Assert.True(cluster.Time.GetUtcNow() - began >= (2 + 4 + 8 + 16) * Dwell);

        // Between its terms the others lead: in one term each time, unless a lease runs out at a step of the clock on a busy machine.
        Assert.True(good.Sum(static node => node.Work.Terms) >= failing.Terms);
    }

    [Theory]
    [Promise("G14")]
    [Failure("F65")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_that_passes_costs_a_node_its_preference_for_two_dwells(bool byName)
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", byName ? null : 1);
        await a.LeadsAsync();
        var b = await StartAsync(cluster, "bad", byName ? null : 2, FailsOnce());
        await b.StandsByAsync();
        await cluster.AdvanceUntilAsync(() => b.Work.Terms == 2 && b.Work.IsRunning, 20 * Dwell, "b leads again");
        await cluster.AdvanceAsync(3 * Dwell, b.Work.Term);
        Assert.Equal((2, 2, true), (a.Work.Terms, b.Work.Terms, b.Work.IsRunning));
        Assert.Equal([2 * Dwell], TimesIn(b));

        var failedAt = b.TimesOf(Abstains).Single();

        // A line of the log may be some steps of the clock late.
        Assert.InRange(b.TimesOf(Began)[1] - failedAt, 2 * Dwell, 5 * Dwell);
        Assert.InRange(b.TimesOf(AbstainsNoMore).Single() - failedAt, Dwell, 3 * Dwell);

        // It stood in the queue before that, which does not count: its dwell time begins with its rank.
        Assert.InRange(b.TimesOf(Began)[1] - b.TimesOf(AbstainsNoMore).Single(), 0.5 * Dwell, 3 * Dwell);

        // It has led for longer than it had to abstain for, so that the next failure is the first again.
        b.Work.Do = static (_, _) => throw new InvalidOperationException("it fails again");
        await b.Leadership.StepDownAsync(cancellationToken: Token);
        await cluster.AdvanceUntilAsync(() => b.Logged(Abstains) == 2, 20 * Dwell, "b fails again");
        Assert.Equal([2 * Dwell, 2 * Dwell], TimesIn(b));
    }

    [Theory]
    [Promise("G14")]
    [Failure("F65")]
    [InlineData("throws")]
    [InlineData("hangs")]
    public async Task The_place_in_the_queue_says_that_a_node_abstains_and_says_its_rank_again_in_time(string work)
    {
        await using var cluster = new Cluster();
        var failing = FailsOnce();
        if (work == "hangs")
        {
            failing.Do = Work.UntilToldAsync;
        }

        var b = await cluster.StartNodeAsync("b", options =>
        {
            Configure(options, 2);
            options.ProgressTimeout = work == "hangs" ? TimeSpan.FromSeconds(20) : null;
        }, work: failing);
        await Cluster.UntilAsync(() => failing.Terms == 1, "b leads");
        var a = await StartAsync(cluster, "a", 1);
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning && b.Store.IsQueued, TimeSpan.FromMinutes(2), "a leads and b waits");
        Assert.Equal(Abstaining, await RankOfAsync(b, a));

        // The dwell time of a, which has to have led for one, is not over yet when the rank is there again.
        var failedAt = b.TimesOf(Abstains).Single();
        await cluster.AdvanceUntilAsync(() => RankOfAsync(b, a).GetAwaiter().GetResult() == 2, 3 * Dwell, "b says its rank again");
        Assert.InRange(cluster.Time.GetUtcNow() - failedAt, Dwell, 3 * Dwell);
        Assert.Equal((1, 1), (a.Work.Terms, b.Work.Terms));
    }

    [Theory]
    [Promise("G14")]
    [Failure("F22")]
    [InlineData("drain")]
    [InlineData("step down")]
    [InlineData("revocation")]
    [InlineData("loss")]
    public async Task A_preferred_node_whose_term_was_ended_leads_again_after_one_dwell_time(string by)
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", 1);
        await a.LeadsAsync();
        var b = await StartAsync(cluster, "b", 2);
        await b.StandsByAsync();
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 3 * Dwell, "b leads");
        await Cluster.UntilAsync(() => a.Store.IsQueued, "a waits");
        switch (by)
        {
            case "drain":
                var drain = b.Host.Services.GetRequiredService<NodeDrain>();
                await drain.DrainAsync(Token);
                drain.Resume();
                break;
            case "step down":
                await b.Leadership.StepDownAsync(cancellationToken: Token);
                break;
            case "revocation":
                await b.Host.Services.GetRequiredService<ILockInspector>().RevokeAsync(WorkingService.LockName, b.Work.Term.FencingToken, Token);
                break;
            case "loss":
                cluster.Store.Delete(WorkingService.LockName);
                await cluster.AdvanceUntilAsync(() => !b.Work.IsRunning, Cluster.LeaseDuration, "b has lost the lock");
                break;
        }

        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning && RankOfAsync(b, a).GetAwaiter().GetResult() == 2, Dwell, "a leads and b waits, and says its rank");
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 3 * Dwell, "b leads again");

        // One look later than that at most, and some steps of the clock. One that abstained would wait for three at least.
        Assert.InRange(b.TimesOf(Began)[1] - a.TimesOf(Began)[1], 0.5 * Dwell, 2.5 * Dwell);
        Assert.Empty(TimesIn(b));
    }

    [Fact]
    [Promise("G9", "G14")]
    [Failure("F65")]
    public async Task A_term_that_ends_passes_the_lock_to_one_that_came_after_a_node_that_abstains()
    {
        await using var cluster = new Cluster();
        var bad = await StartAsync(cluster, "bad", null, FailsOnce());
        await cluster.AdvanceUntilAsync(() => bad.Logged(Abstains) == 1, Dwell, "the first term fails");
        var a = await StartAsync(cluster, "a", null);
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning && bad.Store.IsQueued, Dwell, "a leads, and the other waits");
        var b = await StartAsync(cluster, "b", null);
        await b.StandsByAsync();
        await a.Leadership.StepDownAsync(cancellationToken: Token);
        await b.LeadsAsync();
        Assert.Equal(1, bad.Work.Terms);
    }

    [Theory]
    [Promise("G14")]
    [Failure("F65")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_leader_that_abstains_makes_way_after_a_dwell_time_until_it_has_led_as_long(bool isOver)
    {
        await using var cluster = new Cluster();
        var bad = await StartAsync(cluster, "bad", 2, FailsOnce(times: isOver ? 1 : 3));
        await cluster.AdvanceUntilAsync(() => bad.Work.IsRunning, 4 * Dwell, "it leads again, for there is no other");
        Assert.Equal(Abstaining, bad.Leadership.Leader?.Rank);
        await cluster.AdvanceAsync(isOver ? 2 * Dwell : TimeSpan.FromSeconds(1), bad.Work.Term);
        var a = await StartAsync(cluster, "a", 1);
        await a.StandsByAsync();
        Assert.True(bad.Work.IsRunning);
        if (isOver)
        {
            await cluster.AdvanceAsync(4 * Dwell, bad.Work.Term);
            Assert.Equal((0, true), (a.Work.Terms, bad.Work.IsRunning));
        }
        else
        {
            await cluster.AdvanceUntilAsync(() => a.Work.IsRunning, 3 * Dwell, "it makes way");
            Assert.InRange(a.TimesOf(Began).Single() - bad.TimesOf(Began)[^1], Dwell, 3 * Dwell);

            // It was told to stop before it had led for as long as it had to abstain for, so that it still has to.
            await Cluster.UntilAsync(() => bad.Store.IsQueued, "it waits");
            Assert.Equal(Abstaining, await RankOfAsync(bad, a));
        }
    }

    [Fact]
    [Promise("G14")]
    public async Task A_preferred_leader_that_is_stopped_does_not_say_that_it_abstains()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", 2);
        await a.LeadsAsync();
        await a.StopAsync();
        Assert.Equal((1, 0), (a.Logged(Began), a.Logged(Abstains)));
    }

    [Fact]
    [Promise("G14")]
    [Failure("F65")]
    public async Task A_node_that_fails_where_nobody_is_preferred_says_nothing_of_it()
    {
        await using var cluster = new Cluster();
        var bad = await cluster.StartNodeAsync("bad", work: FailsOnce());
        await cluster.AdvanceUntilAsync(() => bad.Work.IsRunning, Dwell, "it leads again");
        Assert.Equal((0, 0L), (bad.Logged(Abstains), bad.Leadership.Leader?.Rank));
    }

    [Theory]
    [Promise("G14")]
    [Failure("F65")]
    [InlineData("completes", 2)]
    [InlineData("reaches its longest time", 2)]
    [InlineData("is told to stop after long", 2)]
    [InlineData("is told to stop at once", 4)]
    public async Task A_term_that_went_well_ends_the_row_of_failures_and_a_short_one_does_not(string second, int dwells)
    {
        await using var cluster = new Cluster();
        var completes = second == "completes";
        var work = new Work();
        work.Do = (term, stop) => work.Terms != 2 ? throw new InvalidOperationException("it fails") : completes ? Task.CompletedTask : Work.UntilToldAsync(term, stop);
        var node = await cluster.StartNodeAsync("a", options =>
        {
            Configure(options, 1);
            (options.AfterCompletion, options.MaxTerm) = (CompletionAction.ContendAgain, second == "reaches its longest time" ? Dwell : null);
        }, work: work);

        // It has to abstain for two dwell times, and leads meanwhile, for there is no other.
        if (second.StartsWith("is told", StringComparison.Ordinal))
        {
            await cluster.AdvanceUntilAsync(() => work is { Terms: 2, IsRunning: true } && node.Leadership.IsLeader, Dwell, "the second term begins");
            await cluster.AdvanceAsync(second.EndsWith("long", StringComparison.Ordinal) ? 3 * Dwell : TimeSpan.Zero, work.Term);
            await node.Leadership.StepDownAsync(cancellationToken: Token);
        }

        await cluster.AdvanceUntilAsync(() => TimesIn(node).Count() >= 2, 5 * Dwell, "the third term fails");
        Assert.Equal([2 * Dwell, dwells * Dwell], TimesIn(node).Take(2));
    }

    [Fact]
    [Promise("G14")]
    [Failure("F65")]
    public async Task A_failure_after_as_long_as_a_node_abstains_for_at_most_is_the_first_again()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        var fails = new TaskCompletionSource();
        work.Do = (_, _) => work.Terms <= 2 ? throw new InvalidOperationException("it fails") : fails.Task;
        var node = await StartAsync(cluster, "a", 1, work);
        await cluster.AdvanceUntilAsync(() => work is { Terms: 3, IsRunning: true } && node.Leadership.IsLeader, 2 * Dwell, "the third term begins");
        await cluster.AdvanceUntilAsync(() => cluster.Time.GetUtcNow() - node.TimesOf(Began)[^1] >= 129 * Dwell, 130 * Dwell, "the term is long", step: TimeSpan.FromSeconds(4), keep: [work.Term]);
        fails.SetException(new InvalidOperationException("it fails after long"));
        await cluster.AdvanceUntilAsync(() => TimesIn(node).Count() >= 3, 5 * Dwell, "the third term fails");
        Assert.Equal([2 * Dwell, 4 * Dwell, 2 * Dwell], TimesIn(node).Take(3));
    }

    [Fact]
    [Promise("G14")]
    [Failure("F65")]
    public async Task A_node_without_a_rank_that_always_fails_abstains_beside_one_of_a_negative_rank()
    {
        await using var cluster = new Cluster();
        var good = await StartAsync(cluster, "good", -1);
        await good.LeadsAsync();
        var bad = await cluster.StartNodeAsync("bad", options => (options.PreferenceDwell, options.MaxRestartDelay) = (Dwell, options.MinRestartDelay), work: FailsOnce(times: int.MaxValue));
        await bad.StandsByAsync();

        // After a dwell time, and then after 2 and one more, and 4: at each dwell time it were seven terms by then.
        var began = cluster.Time.GetUtcNow();
        await PassAsync(cluster, 100 * Dwell, () => TimesIn(bad).Count() == 3, good, bad);
        Assert.Equal([2, 4, 8], TimesIn(bad).Select(static time => time / Dwell));
        Assert.Equal(3, bad.Work.Terms);
        Assert.True(cluster.Time.GetUtcNow() - began >= (2 + 4) * Dwell);
    }

    private static Work FailsOnce(int times = 1)
    {
        var work = new Work();
        work.Do = (term, stop) => work.Terms <= times ? throw new InvalidOperationException("it fails") : Work.UntilToldAsync(term, stop);
        return work;
    }

    private static Task<TestNode> StartAsync(Cluster cluster, string name, long? rank, Work? work = null) => cluster.StartNodeAsync(name, options => Configure(options, rank), work: work);

    private static void Configure(ExclusiveServiceOptions options, long? rank)
    {
        // It stays away for as short a time as it may, so that the dwell time alone is what slows it.
        (options.Rank, options.PreferenceDwell, options.MaxRestartDelay) = (rank, Dwell, options.MinRestartDelay);
        if (rank is null)
        {
            options.PreferredNodes.Add("bad");
        }
    }

    /// <summary>For how long a node said that it abstains, each time.</summary>
    private static IEnumerable<TimeSpan> TimesIn(TestNode node) =>
        node.Log.Where(static record => record.Id.Id == Abstains).Select(static (FakeLogRecord record) => TimeSpan.Parse(record.GetStructuredStateValue("Time")!, null));

    /// <summary>What the place of a node in the queue says; null where it has none.</summary>
    private static async Task<long?> RankOfAsync(TestNode node, TestNode from)
    {
        var seen = await from.Host.Services.GetRequiredService<ILockInspector>().InspectAsync(WorkingService.LockName, cancellationToken: Token);
        return seen.Waiters.LastOrDefault(waiter => waiter.Owner.NodeId == node.NodeId)?.Rank;
    }

    /// <summary>Lets time pass, in which one leads after the other. A lease is renewed before the clock goes on, where the machine is not too busy.</summary>
    private static async Task PassAsync(Cluster cluster, TimeSpan limit, Func<bool> isOver, params TestNode[] nodes)
    {
        for (var (step, passed) = (TimeSpan.FromMilliseconds(500), TimeSpan.Zero); passed < limit && !isOver(); passed += step)
        {
            for (var poll = 0; poll < 40 && !nodes.Any(IsSettled); poll++)
            {
                // Between two looks: a handover goes on on the pool, and a renewal on a thread of its own.
                await Task.Delay(2, Token);
            }

            await cluster.AdvanceAsync(step);

            // What woke, also on the nodes that do not lead, goes on on the pool: without a wait here a leader that is settled would let hours pass before another thread has its turn.
            await Task.Delay(1, Token);
        }

        static bool IsSettled(TestNode node) => node.Work.IsRunning && node.Leadership.IsLeader && node.Work.Term.Remaining > Cluster.LeaseDuration * 0.4;
    }
}
