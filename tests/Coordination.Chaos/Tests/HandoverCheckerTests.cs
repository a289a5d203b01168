using Coordination.Chaos.Checking;
using Coordination.Chaos.Faults;
using Coordination.Chaos.History;
using static Coordination.Chaos.Tests.Recorded;

namespace Coordination.Chaos.Tests;

/// <summary>What the checker finds, and what it lets pass, where holders are asked to step down and where their work hangs; the timeout of progress is 1 s.</summary>
public sealed class HandoverCheckerTests
{
    [Fact]
    [Promise("G9")]
    public void Who_a_lock_is_released_to_may_overtake() => Assert.Empty(Check(Run(Released("w3.1"), Hold("w2.1", 3, 2, 8, 29), Hold("w3.1", 2, 3, 6.1, 7))));

    [Fact]
    public void One_that_is_served_instead_of_the_successor_is_found() =>
        Assert.Equal([CheckKind.Succession], Check(Run(Released("w3.1"), Hold("w2.1", 2, 2, 6.1, 7), Hold("w3.1", 3, 3, 7.1, 29))));

    [Fact]
    public void One_that_is_served_instead_of_a_successor_that_waits_in_vain_is_found()
    {
        var run = Run(Released("w3.1"), Hold("w2.1", 2, 2, 6.1, 29));
        Assert.Equal([CheckKind.Succession], Check(run with { Waits = [.. run.Waits, WaitInVain("w3.1", 3, 9)] }));
    }

    [Theory]
    [InlineData(5.9, 9)]
    [InlineData(3, 6.2)]
    public void A_successor_that_comes_late_or_leaves_early_has_no_claim(double from, double to)
    {
        var run = Run(Released("w3.1"), Hold("w2.1", 2, 2, 6.1, 29));
        Assert.Empty(Check(run with { Waits = [.. run.Waits, WaitInVain("w3.1", from, to)] }));
    }

    [Fact]
    public void A_successor_that_does_not_wait_has_no_claim() => Assert.Empty(Check(Run(Released("w3.1"), Hold("w2.1", 2, 2, 6.1, 29))));

    [Theory]
    [InlineData("w1")]
    [InlineData("w3")]
    public void A_disturbance_of_holder_or_successor_excuses_that_another_is_next(string worker) =>
        Assert.Empty(Check(Run(Released("w3.1"), Hold("w2.1", 2, 2, 6.1, 7), Hold("w3.1", 3, 3, 7.1, 29)) with { Disturbances = [Strike(FaultKind.DropRequests, 4, 5, worker)] }));

    [Fact]
    public void A_disturbance_of_another_excuses_nothing_of_a_successor() =>
        Assert.Equal([CheckKind.Succession], Check(Run(Released("w3.1"), Hold("w2.1", 2, 2, 6.1, 7), Hold("w3.1", 3, 3, 7.1, 29)) with { Disturbances = [Strike(FaultKind.Deafen, 4, 5, "w2")] }));

    [Fact]
    [Promise("G14")]
    public void Who_steps_down_when_it_is_asked_to_is_let_pass() => Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 6)) with { Asks = [new(RecordedLock, At(5.5), At(6))] }));

    [Fact]
    [Promise("G14")]
    public void Who_does_not_step_down_when_it_is_asked_to_is_found() =>
        Assert.Equal([CheckKind.StepDown], Check(Run(Hold("w1.1", 1, 1, 2, 6)) with { Asks = [new(RecordedLock, At(4), At(6))] }));

    [Theory]
    [InlineData("w1", 0)]
    [InlineData("w2", 1)]
    public void A_disturbance_of_the_holder_alone_excuses_that_it_does_not_step_down(string worker, int found) =>
        Assert.Equal(found, Check(Run(Hold("w1.1", 1, 1, 2, 6)) with { Asks = [new(RecordedLock, At(4), At(6))], Disturbances = [Strike(FaultKind.Deafen, 4, 5, worker)] }).Count);

    [Fact]
    public void Work_that_hangs_may_have_its_lock_for_the_timeout_and_the_lease() =>
        Assert.Empty(Check(Progressing(Lost(5.2, 3.2), Hold("w2.1", 2, 1.5, 6, 29))));

    [Fact]
    public void Work_that_hangs_and_keeps_its_lock_is_found() =>
        Assert.Equal([CheckKind.Progress], Check(Progressing(Hold("w1.1", 1, 1, 2, 9) with { Silence = At(4.3) }, Hold("w2.1", 2, 1.5, 9.1, 29))));

    [Fact]
    public void Work_that_hangs_is_lost_for_want_of_progress_and_nothing_else() =>
        Assert.Equal([CheckKind.Progress], Check(Progressing(Lost(5.2, 3.2) with { Reason = LeaseLossReason.DeadlinePassed }, Hold("w2.1", 2, 1.5, 6, 29))));

    [Fact]
    public void Work_that_hangs_beside_an_outage_may_be_lost_by_its_deadline() =>
        Assert.Empty(Check(Progressing(Lost(5.2, 3.2) with { Reason = LeaseLossReason.DeadlinePassed }, Hold("w2.1", 2, 1.5, 6, 29)) with { Disturbances = [Strike(FaultKind.BlackHole, 3, 5, "w1")] }));

    [Fact]
    public void Work_that_reports_and_is_lost_for_want_of_progress_is_found() => Assert.Equal([CheckKind.Progress], Check(Progressing(Lost(5.2, 0.9), Hold("w2.1", 2, 1.5, 6, 29))));

    [Theory]
    [Promise("G4")]
    [InlineData(6.2, 0)]
    [InlineData(6.3, 1)]
    public void A_lock_that_work_lost_which_hangs_goes_on_to_another(double next, int found) =>
        Assert.Equal(found, Check(Progressing(Lost(5.2, 3.2), Hold("w2.1", 2, 1.5, next, 29))).Count(check => check == CheckKind.Progress));

    [Fact]
    [Promise("G4")]
    public void A_lock_that_nobody_else_waits_for_need_not_go_on() => Assert.Empty(Check(Progressing(Lost(5.2, 3.2), Hold("w2.1", 2, 9, 9.1, 29))));

    [Fact]
    public void The_end_of_a_belief_is_read_with_what_it_says()
    {
        HistoryEvent[] events =
        [
            new(At(1), "w1.1", EventKind.Waiting, RecordedLock, 1),
            new(At(2), "w1.1", EventKind.Granted, RecordedLock, 1, 1),
            new(At(3), "w1.1", EventKind.Releasing, RecordedLock, 1, Successor: "w2.1-5f-9c", Length: At(0.5)),
            new(At(3), "w2.1", EventKind.Waiting, RecordedLock, 1),
            new(At(4), "w2.1", EventKind.Granted, RecordedLock, 1, 2),
            new(At(7), "w2.1", EventKind.Lost, RecordedLock, 1, Reason: LeaseLossReason.NoProgress, Length: At(2)),
            new(At(8), "w1.1", EventKind.Waiting, RecordedLock, 2),
            new(At(8), "w1.1", EventKind.Granted, RecordedLock, 2, 3),
            new(At(9), "w1.1", EventKind.Releasing, RecordedLock, 2, Successor: "w2.1"),
        ];

        var read = RunRecord.Read(events, Run().Settings, TimeSpan.Zero, At(9), wallClock: At(1000)).Holdings;

        Assert.Equal(["w2.1", null, null], read.Select(holding => holding.Successor));
        Assert.Equal([null, LeaseLossReason.NoProgress, null], read.Select(holding => holding.Reason));
        Assert.Equal([At(0.5), At(2), TimeSpan.Zero], read.Select(holding => holding.Silence));
    }

    private static List<CheckKind> Check(RunRecord run) => [.. Checker.Check(run).Violations.Select(violation => violation.Check)];

    private static Holding Released(string successor) => Hold("w1.1", 1, 1, 2, 6) with { Successor = successor };

    private static Holding Lost(double end, double silence) => Hold("w1.1", 1, 1, 2, end, HoldingEnd.Lost) with { Reason = LeaseLossReason.NoProgress, Silence = At(silence) };

    private static RunRecord Progressing(params Holding[] holdings)
    {
        var run = Run(holdings);
        return run with { Settings = run.Settings with { ProgressTimeout = At(1) } };
    }
}
