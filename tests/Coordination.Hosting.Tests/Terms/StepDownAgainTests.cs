using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>Step-downs of nodes whose work hangs or still ends, and what undoes them.</summary>
public sealed class StepDownAgainTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G14")]
    [Failure("F24")]
    public async Task A_node_that_lost_the_lead_and_whose_work_hangs_asks_the_leader()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", work: work);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        Assert.True(await a.Host.Services.GetRequiredService<ILockInspector>().RevokeAsync(WorkingService.LockName, a.Work.Term.FencingToken, Token));
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning && a.Work.Term.State == LeaseState.Lost, 2 * Cluster.LeaseDuration, "b leads");

        var stepping = a.Leadership.StepDownAsync(TimeSpan.FromSeconds(5), cancellationToken: Token);
        await Cluster.UntilAsync(() => !b.Work.IsRunning, "b steps down");
        await cluster.AdvanceUntilAsync(() => stepping.IsCompleted, TimeSpan.FromSeconds(5), "who asked knows");
        Assert.Equal(StepDownResult.SteppedDown, await stepping);
    }

    [Fact]
    [Promise("G14")]
    public async Task A_leader_whose_work_does_not_end_is_waited_for_a_minute()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", work: work);
        await a.LeadsAsync();
        var stepping = a.Leadership.StepDownAsync(cancellationToken: Token);
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(59), a.Work.Term);
        Assert.False(stepping.IsCompleted);
        await cluster.AdvanceUntilAsync(() => stepping.IsCompleted, TimeSpan.FromSeconds(5), "the minute is over", keep: [a.Work.Term]);
        Assert.Equal((StepDownResult.StillHeld, true), (await stepping, a.Leadership.IsLeader));
    }

    [Theory]
    [Promise("G14")]
    [InlineData("operator")]
    [InlineData("leadership")]
    [InlineData("term")]
    [InlineData("term, after two others")]
    public async Task What_is_asked_last_while_the_work_ends_counts(string by)
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
        var inspector = b.Host.Services.GetRequiredService<ILockInspector>();

        // Who asked first asks again each second.
        var first = inspector.StepDownAsync(WorkingService.LockName, "b", TimeSpan.FromSeconds(40), cancellationToken: Token);
        await Cluster.UntilAsync(() => work.WasTold, "a is told");

        var away = TimeSpan.FromSeconds(20);
        switch (by)
        {
            case "operator":
                Assert.Equal(StepDownResult.StillHeld, await inspector.StepDownAsync(WorkingService.LockName, "c", away, timeout: TimeSpan.Zero, cancellationToken: Token));
                await Cluster.UntilAsync(() => a.Work.Term.StepDownRequest?.Successor == c.NodeId, "a has heard it");
                break;
            case "leadership":
                _ = a.Leadership.StepDownAsync(away, "c", Token);
                break;
            case "term, after two others":
                _ = inspector.StepDownAsync(WorkingService.LockName, "b", TimeSpan.FromSeconds(30), cancellationToken: Token);
                await Cluster.UntilAsync(() => a.Work.Term.StepDownRequest?.StayAway == TimeSpan.FromSeconds(30), "a has heard both");
                goto case "term";
            case "term":
                a.Work.Term.StepDown(away, "c");
                break;
        }

        await cluster.AdvanceAsync(TimeSpan.FromSeconds(4), a.Work.Term);
        Assert.False(first.IsCompleted);
        work.LetGo();
        await c.LeadsAsync();
        await cluster.AdvanceAsync(away - TimeSpan.FromSeconds(1), c.Work.Term);
        Assert.Equal((0, 1), (b.Work.Terms, (await inspector.InspectAsync(WorkingService.LockName, cancellationToken: Token)).WaiterCount));
        await cluster.AdvanceUntilAsync(() => inspector.InspectAsync(WorkingService.LockName, cancellationToken: Token).GetAwaiter().GetResult().WaiterCount == 2, away, "a is back", keep: [c.Work.Term]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("half")]
    public async Task What_can_be_no_node_is_refused_by_its_name_and_nobody_steps_down(string successor)
    {
        // Half a surrogate pair is nothing that an attribute can have.
        successor = successor == "half" ? "half\uD83D" : successor;
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var error = await Assert.ThrowsAsync<ArgumentException>(() => a.Leadership.StepDownAsync(successor: successor, cancellationToken: Token));
        Assert.Equal("successor", error.ParamName);
        error = Assert.Throws<ArgumentException>(() => a.Work.Term.StepDown(successor: successor));
        Assert.Equal("successor", error.ParamName);
        var away = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => a.Leadership.StepDownAsync(TimeSpan.FromDays(50), cancellationToken: Token));
        Assert.Equal("stayAway", away.ParamName);
        Assert.Equal((true, 1), (a.Leadership.IsLeader, a.Work.Terms));
    }

    [Theory]
    [Promise("G14")]
    [Failure("F65")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_was_sent_away_for_too_long_can_be_had_back(bool byDrain)
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: static s => s.AddHealthChecks().AddCoordinationHealthCheck());
        await a.LeadsAsync();
        await a.Leadership.StepDownAsync(TimeSpan.FromDays(49), cancellationToken: Token);
        await Cluster.UntilAsync(
            () => a.CheckHealthAsync().GetAwaiter().GetResult().Entries.Single().Value.Description?.Contains("stays away", StringComparison.Ordinal) == true, "a stays away");
        await cluster.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(1, a.Work.Terms);
        if (byDrain)
        {
            var drain = a.Host.Services.GetRequiredService<NodeDrain>();
            await drain.DrainAsync(Token);
            drain.Resume();
        }
        else
        {
            a.Leadership.SetCanLead(false);
            a.Leadership.SetCanLead(true);
        }

        await Cluster.UntilAsync(() => a.Work.Terms == 2, "a leads again");
    }
}
