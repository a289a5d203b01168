using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>Ending the own term on purpose, and terms that are as long as they may be.</summary>
public sealed class StepDownTests
{
    [Fact]
    [Promise("G14")]
    [Failure("F60")]
    public async Task A_step_down_cancels_the_work_awaits_it_and_then_the_lock_passes_with_no_error()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", work: Draining());
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        a.Work.Term.StepDown();
        await Cluster.UntilAsync(() => a.Work.WasTold, "the work of a is told to stop");
        await cluster.AdvanceAsync(Cluster.LeaseDuration / 2, a.Work.Term);
        Assert.True(a.Leadership.IsLeader);
        Assert.Equal(a.NodeId, (await cluster.HolderAsync(WorkingService.LockName))?.Owner.NodeId);
        Assert.Equal(0, b.Work.Terms);

        // The clock stands still: nothing but the release can make b the leader.
        a.Work.Do = Work.UntilToldAsync;
        a.Work.LetGo();
        await b.LeadsAsync();
        await Cluster.UntilAsync(() => a.Logged(1202) == 1, "a says how its term ended");
        Assert.Contains("SteppedDown", a.Log.Single(record => record.Id.Id == 1202).Message, StringComparison.Ordinal);
        await a.StandsByAsync();
        AssertQuiet(a);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F60")]
    public async Task The_work_itself_may_step_down_and_its_node_stays_away_for_as_long_as_it_says()
    {
        await using var cluster = new Cluster();
        var stayAway = TimeSpan.FromMinutes(5);
        var work = new Work();
        work.Do = (term, stoppingToken) =>
        {
            work.Do = Work.UntilToldAsync;
            term.StepDown(stayAway);

            // The first one counts.
            term.StepDown(TimeSpan.Zero);
            Assert.True(stoppingToken.IsCancellationRequested);
            return Work.UntilToldAsync(term, stoppingToken);
        };
        var a = await cluster.StartNodeAsync("a", work: work);
        await Cluster.UntilAsync(() => a.Logged(1202) == 1, "the first term is over");
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));

        await cluster.AdvanceUntilAsync(() => a.Work.Terms == 2, TimeSpan.FromMinutes(6), "a leads again", TimeSpan.FromSeconds(5));
        Assert.True(a.TimesOf(1200)[1] - a.TimesOf(1202)[0] >= stayAway);
        AssertQuiet(a);
    }

    [Fact]
    [Failure("F60")]
    public async Task A_step_down_of_a_term_that_is_over_does_nothing()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var first = a.Work.Term;
        first.StepDown();
        await Cluster.UntilAsync(() => a.Work.Terms == 2 && a.Work.IsRunning, "a leads again, for nobody waits");
        first.StepDown(TimeSpan.FromDays(1));
        await cluster.AdvanceAsync(Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal(2, a.Work.Terms);
        Assert.True(a.Leadership.IsLeader);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F60")]
    public async Task Stepping_down_is_no_failure_however_often_it_is_done()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = (term, stoppingToken) =>
        {
            if (work.Terms <= 20)
            {
                term.StepDown();
            }

            return Work.UntilToldAsync(term, stoppingToken);
        };
        var a = await cluster.StartNodeAsync("a", work: work);

        // No time passes, so none is spent on a backoff.
        await Cluster.UntilAsync(() => work.Terms == 21 && work.IsRunning, "a has stepped down twenty times");
        Assert.Equal(20, a.Logged(1202));
        AssertQuiet(a);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F64")]
    public async Task At_MaxTerm_the_work_is_told_first_and_the_lease_renewed_until_it_has_returned()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.MaxTerm = TimeSpan.FromMinutes(1), work: Draining());
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        var term = a.Work.Term;

        await cluster.AdvanceAsync(TimeSpan.FromSeconds(59), term);
        Assert.False(a.Work.WasTold);
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(1), term);
        await Cluster.UntilAsync(() => a.Work.WasTold, "the work of a is told to stop");
        await cluster.AdvanceAsync(3 * Cluster.LeaseDuration, term);
        Assert.Equal(LeaseState.Held, term.State);
        Assert.Equal(0, b.Work.Terms);

        a.Work.Do = Work.UntilToldAsync;
        a.Work.LetGo();
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, TimeSpan.FromMinutes(3), "b leads");
        Assert.Equal(LeaseState.Released, term.State);
        Assert.Contains("MaxTermReached", a.Log.First(record => record.Id.Id == 1202).Message, StringComparison.Ordinal);
        AssertQuiet(a);
    }

    private static void AssertQuiet(TestNode node) => Assert.DoesNotContain(node.Log, record => record.Level >= LogLevel.Warning);

    private static Work Draining()
    {
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        return work;
    }
}
