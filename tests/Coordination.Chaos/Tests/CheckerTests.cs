using Coordination.Chaos.Checking;
using Coordination.Chaos.Faults;
using Coordination.Chaos.History;
using Coordination.Chaos.Resource;
using Coordination.Chaos.Workers;
using static Coordination.Chaos.Tests.Recorded;

namespace Coordination.Chaos.Tests;

/// <summary>What the checker finds, and what it lets pass, in histories that are written by hand.</summary>
public sealed class CheckerTests
{
    [Fact]
    public void One_after_another_is_fine() => Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 3), Hold("w2.1", 2, 1.5, 3.1, 4), Hold("w1.1", 3, 3.1, 4.1, 29))));

    [Fact]
    [Promise("G1")]
    public void Two_at_a_time_are_found() => Assert.Equal([CheckKind.Exclusion], Check(Run(Hold("w1.1", 1, 1, 2, 4), Hold("w2.1", 2, 1.5, 3, 5))));

    [Fact]
    [Promise("G1")]
    public void The_third_beside_the_first_is_found() =>
        Assert.Equal([CheckKind.Exclusion, CheckKind.Exclusion], Check(Run(Hold("w1.1", 1, 1, 2, 10), Hold("w2.1", 2, 1.5, 3, 4), Hold("w3.1", 3, 1.6, 5, 6))));

    [Fact]
    [Failure("F14")]
    public void A_holder_that_was_paused_past_its_lease_may_overlap_until_it_looks() =>
        Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 9.05, HoldingEnd.Lost), Hold("w2.1", 2, 1.5, 6, 7)) with { Gaps = [Gap("w1.1", 3, 9)] }));

    [Fact]
    [Failure("F14")]
    public void A_holder_that_goes_on_after_a_pause_is_found_though_the_other_is_gone() =>
        Assert.Equal([CheckKind.Exclusion], Check(Run(Hold("w1.1", 1, 1, 2, 12), Hold("w2.1", 2, 1.5, 6, 7)) with { Gaps = [Gap("w1.1", 3, 9)] }));

    [Fact]
    [Promise("G1")]
    public void A_pause_of_less_than_a_lease_excuses_nothing() =>
        Assert.Equal([CheckKind.Exclusion], Check(Run(Hold("w1.1", 1, 1, 2, 5), Hold("w2.1", 2, 1.5, 4, 6)) with { Gaps = [Gap("w1.1", 3.8, 4.4)] }));

    /// <summary>
    /// With a claim window of 500 ms: from a run whose holder was stopped 20 ms after a handover, before its claim was sent. One that had the time to claim, or whose window was not over, has a lease.
    /// </summary>
    [Theory]
    [Promise("G1")]
    [InlineData(2.02, 4.3, 2.59, 4.35, false)]
    [InlineData(2.02, 4.3, 2.59, 4.45, true)]
    [InlineData(2.02, 4.3, 2.45, 4.35, true)]
    [InlineData(2.4, 4.3, 2.59, 4.35, true)]
    [InlineData(2.02, 2.3, 2.59, 4.35, true)]
    public void One_that_was_paused_before_its_claim_may_overlap_until_it_looks(double from, double to, double next, double end, bool isFound)
    {
        var run = Run(Hold("w1.1", 1, 1, 2, end, HoldingEnd.Lost), Hold("w2.1", 2, 1.5, next, 29)) with { Gaps = [Gap("w1.1", from, to)] };
        Assert.Equal(isFound, Check(run).Contains(CheckKind.Exclusion));
    }

    [Fact]
    [Promise("G1")]
    public void The_pause_of_another_excuses_nothing() =>
        Assert.Contains(CheckKind.Exclusion, Check(Run(Hold("w1.1", 1, 1, 2, 9), Hold("w2.1", 2, 1.5, 6, 7)) with { Gaps = [Gap("w2.1", 3, 9)] }));

    [Fact]
    [Failure("F18")]
    public void After_a_loss_the_holder_may_go_on_until_its_next_renewal() =>
        Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 4.9, HoldingEnd.Lost), Hold("w2.1", 2, 1.5, 4.1, 5)) with { Disturbances = [Lose(FaultKind.FlushAll, 4)] }));

    [Fact]
    [Failure("F45")]
    public void A_loss_may_come_between_grant_and_reply_where_the_token_tells_no_time() =>
        Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 4.1, 4.9, HoldingEnd.Lost), Hold("w2.1", 2, 1.5, 4.2, 5)) with { Disturbances = [Lose(FaultKind.SetClockForward, 4)] }));

    [Fact]
    [Failure("F18")]
    public void A_holder_that_overlaps_past_its_next_renewal_is_found() =>
        Assert.Contains(CheckKind.Exclusion, Check(Run(Hold("w1.1", 1, 1, 2, 6.9), Hold("w2.1", 2, 1.5, 4.1, 5)) with { Disturbances = [Lose(FaultKind.FlushAll, 4)] }));

    [Fact]
    [Failure("F10")]
    public void A_holder_that_is_never_told_of_a_loss_is_found_though_nobody_else_came() =>
        Assert.Equal([CheckKind.Exclusion], Check(Run(Hold("w1.1", 1, 1, 2, 9)) with { Disturbances = [Lose(FaultKind.DeleteKeys, 4)] }));

    [Fact]
    [Failure("F18")]
    public void With_no_way_to_the_server_the_deadline_is_soon_enough() =>
        Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 6.5, HoldingEnd.Lost)) with { Disturbances = [Lose(FaultKind.FlushAll, 4), Strike(FaultKind.BlackHole, 3, 7, "w1")] }));

    [Fact]
    [Promise("G3")]
    public void A_token_that_does_not_grow_is_found() => Assert.Equal([CheckKind.Tokens], Check(Run(Hold("w1.1", 5, 1, 2, 3), Hold("w2.1", 4, 2.5, 3.1, 29))));

    [Fact]
    [Promise("G3")]
    public void A_token_that_comes_twice_is_found() =>
        Assert.Contains(CheckKind.Tokens, Check(Run(Hold("w1.1", 5, 1, 2, 3), Hold("w2.1", 5, 1.5, 3.1, 29))));

    [Fact]
    [Promise("G3")]
    public void Grants_that_were_asked_for_at_once_may_be_told_in_any_order() =>
        Assert.DoesNotContain(CheckKind.Tokens, Check(Run(Hold("w1.1", 5, 1, 2, 2.1), Hold("w2.1", 4, 1, 2.2, 29))));

    [Theory]
    [Promise("G3")]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void A_late_write_that_the_fence_accepted_is_found(bool isAccepted, int found) =>
        Assert.Equal(found, Check(Run() with { Writes = [Write("w1.1", 1, true), Write("w2.1", 2, true), Write("w1.1", 1, isAccepted)] }).Count);

    [Theory]
    [Promise("G2")]
    [InlineData(4.4, 0)]
    [InlineData(4.55, 0)]
    [InlineData(4.65, 1)]
    [InlineData(5.1, 1)]
    public void A_loss_that_is_told_too_late_is_found(double lost, int found) =>
        Assert.Equal(found, Check(Run(Hold("w1.1", 1, 1, 2, lost, HoldingEnd.Lost), Hold("w2.1", 2, 1.5, 5, 29))).Count(check => check == CheckKind.ToldFirst));

    [Theory]
    [Promise("G2")]
    [InlineData(2.44, 2.5, 0)]
    [InlineData(2.65, 2.5, 1)]
    [InlineData(4.65, 5, 1)]
    public void The_margin_of_a_handover_that_is_not_claimed_is_that_of_its_window(double lost, double next, int found) =>
        Assert.Equal(found, Check(Run(Hold("w1.1", 1, 1, 2, lost, HoldingEnd.Lost), Hold("w2.1", 2, 1.5, next, 29))).Count(check => check == CheckKind.ToldFirst));

    [Fact]
    [Promise("G2")]
    public void A_process_that_was_not_scheduled_cannot_be_told() =>
        Assert.DoesNotContain(CheckKind.ToldFirst, Check(Run(Hold("w1.1", 1, 1, 2, 4.9, HoldingEnd.Lost), Hold("w2.1", 2, 1.5, 5, 29)) with { Gaps = [Gap("w1.1", 4.2, 4.9)] }));

    [Fact]
    [Promise("G4")]
    public void A_lock_that_nobody_is_served_with_is_found() =>
        Assert.Equal([CheckKind.Served], Check(Run(Hold("w1.1", 1, 1, 2, 3, HoldingEnd.Died), Hold("w2.1", 2, 1.5, 6.3, 29))));

    [Fact]
    [Promise("G4")]
    public void The_lease_of_a_dead_holder_is_waited_for() => Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 3, HoldingEnd.Died), Hold("w2.1", 2, 1.5, 6.2, 29))));

    [Fact]
    [Promise("G4")]
    public void A_lock_that_nobody_is_served_with_until_the_end_is_found() =>
        Assert.Equal([CheckKind.Served], Check(Waited(Run(Hold("w1.1", 1, 1, 2, 20)), WaitInVain("w2.1", 3, 30))));

    [Fact]
    [Promise("G4")]
    public void A_lock_that_nobody_wants_may_be_free() => Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 3), Hold("w2.1", 2, 19.9, 20, 29))));

    [Fact]
    [Failure("F9")]
    public void Each_worker_that_was_struck_costs_a_claim_window_at_most()
    {
        var run = Run(Hold("w1.1", 1, 1, 2, 3), Hold("w2.1", 2, 1.5, 6.7, 29));
        Assert.Empty(Check(run with { Disturbances = [Strike(FaultKind.Kill, 2.9, 3, "w3")] }));
        Assert.Equal([CheckKind.Served], Check(run with { Disturbances = [Strike(FaultKind.Kill, 1, 1.5, "w3")] }));
    }

    [Fact]
    [Promise("G7")]
    public void A_waiter_that_hears_nothing_is_served_within_the_lease()
    {
        var deaf = Strike(FaultKind.Deafen, 2.9, 6.5, "w2");
        Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 3), Hold("w2.1", 2, 1.5, 6.7, 29)) with { Disturbances = [deaf] }));
        Assert.Equal([CheckKind.Served], Check(Run(Hold("w1.1", 1, 1, 2, 3), Hold("w2.1", 2, 1.5, 6.8, 29)) with { Disturbances = [deaf] }));
    }

    [Fact]
    [Promise("G12")]
    public void After_an_outage_waiters_go_on_by_themselves()
    {
        var outage = Strike(FaultKind.PauseClients, 4, 10);
        Assert.Empty(Check(Run(Hold("w1.1", 1, 1, 2, 3), Hold("w2.1", 2, 1.5, 14, 29)) with { Disturbances = [outage] }));
        Assert.Equal([CheckKind.Served], Check(Run(Hold("w1.1", 1, 1, 2, 3), Hold("w2.1", 2, 1.5, 16, 29)) with { Disturbances = [outage] }));
    }

    [Fact]
    [Promise("G9")]
    public void A_waiter_that_is_overtaken_is_found() =>
        Assert.Equal([CheckKind.Order], Check(Run(Hold("w1.1", 1, 0.5, 2, 3), Hold("w2.1", 3, 1.5, 5, 29), Hold("w3.1", 2, 1.8, 3.1, 4.9))));

    [Fact]
    [Promise("G9")]
    public void Waiters_that_came_at_once_may_be_served_in_any_order() =>
        Assert.Empty(Check(Run(Hold("w1.1", 1, 0.5, 2, 3), Hold("w2.1", 3, 1.5, 5, 29), Hold("w3.1", 2, 1.55, 3.1, 4.9))));

    [Fact]
    [Promise("G9")]
    public void A_waiter_that_was_struck_may_be_overtaken() =>
        Assert.Empty(Check(Run(Hold("w1.1", 1, 0.5, 2, 3), Hold("w2.1", 3, 1.5, 5, 29), Hold("w3.1", 2, 1.8, 3.1, 4.9)) with { Disturbances = [Strike(FaultKind.BlackHole, 2, 3.05, "w2")] }));

    /// <summary>As a server's commit that hangs keeps the row of the lock, and with it the requests for it. A call of another lock, or one that was as fast as any, explains nothing.</summary>
    [Theory]
    [Promise("G9")]
    [InlineData(RecordedLock, 1.4, 1.75, false)]
    [InlineData(RecordedLock, 1.4, 1.6, true)]
    [InlineData(RecordedLock, 1, 1.45, true)]
    [InlineData(RecordedLock, 1.9, 2.8, true)]
    [InlineData("bills", 1.4, 1.75, true)]
    public void A_waiter_may_be_overtaken_while_the_server_keeps_calls_for_its_lock(string name, double from, double to, bool isFound)
    {
        var run = Run(Hold("w1.1", 1, 0.5, 2, 3), Hold("w2.1", 3, 1.5, 5, 29), Hold("w3.1", 2, 1.8, 3.1, 4.9)) with { Releases = [new Release("w4.1", name, At(from), At(to))] };
        Assert.Equal(isFound ? [CheckKind.Order] : [], Check(run));
    }

    /// <summary>From a run whose server kept all calls for half a second after it had been promoted.</summary>
    [Fact]
    [Promise("G9")]
    public void How_long_a_release_took_is_read_from_the_history()
    {
        HistoryEvent[] events =
        [
            new(At(1), "w1.1", EventKind.Granted, RecordedLock, 1, 5),
            new(At(2), "w1.1", EventKind.Releasing, RecordedLock, 1),
            new(At(2.1), "w2.1", EventKind.Releasing, RecordedLock, 1),
            new(At(2.6), "w1.1", EventKind.Released, RecordedLock, 1, Detail: "Released"),
        ];
        Assert.Equal([new Release("w1.1", RecordedLock, At(2), At(2.6))], RunRecord.Read(events, Run().Settings, At(0), At(9), At(0)).Releases);
    }

    /// <summary>From a run at load on PostgreSQL: the first one's request waited for the row of its lock for longer than it may, and was sent again when others had come.</summary>
    [Theory]
    [Promise("G9")]
    [InlineData(1.79, true)]
    [InlineData(1.81, false)]
    [InlineData(null, false)]
    public void A_waiter_is_overtaken_when_it_stood_in_the_queue_before_the_other_came(double? queued, bool isFound)
    {
        var run = Run(Hold("w1.1", 1, 0.5, 2, 3), Hold("w2.1", 3, 1.5, 5, 29), Hold("w3.1", 2, 1.8, 3.1, 4.9));
        run = run with { Waits = [.. run.Waits.Select(wait => wait.By == "w2.1" ? wait with { Queued = queued is { } told ? At(told) : null } : wait)] };
        Assert.Equal(isFound ? [CheckKind.Order] : [], Check(run));
    }

    /// <summary>From a run at load on PostgreSQL: the next one had the lock before the one that gave up was told that it had left the queue.</summary>
    [Theory]
    [Promise("G9")]
    [InlineData(3.09, false)]
    [InlineData(3.11, true)]
    [InlineData(null, true)]
    public void A_waiter_that_gives_up_is_overtaken_only_until_it_leaves_the_queue(double? left, bool isFound)
    {
        var run = Run(Hold("w1.1", 1, 0.5, 2, 3), Hold("w2.1", 3, 1.5, 5, 29), Hold("w3.1", 2, 1.8, 3.1, 4.9));
        run = run with
        {
            Holdings = [.. run.Holdings.Where(holding => holding.By != "w2.1")],
            Waits = [.. run.Waits.Select(wait => wait.By == "w2.1" ? wait with { To = At(3.15), IsGranted = false, Token = null, Left = left is { } at ? At(at) : null } : wait)],
        };
        Assert.Equal(isFound ? [CheckKind.Order] : [], Check(run));
    }

    /// <summary>It lost the race with its grant, so its place stood until then.</summary>
    [Fact]
    [Promise("G9")]
    public void A_waiter_that_gave_up_and_has_the_lock_all_the_same_may_not_be_overtaken()
    {
        var run = Run(Hold("w1.1", 1, 0.5, 2, 3), Hold("w2.1", 3, 1.5, 5, 29), Hold("w3.1", 2, 1.8, 3.1, 4.9));
        run = run with { Waits = [.. run.Waits.Select(wait => wait.By == "w2.1" ? wait with { Left = At(3.05) } : wait)] };
        Assert.Equal([CheckKind.Order], Check(run));
    }

    [Fact]
    [Promise("G9")]
    public void When_a_waiter_left_the_queue_is_read_from_the_history()
    {
        HistoryEvent[] events =
        [
            new(At(1), "w1.1", EventKind.Waiting, RecordedLock, 1),
            new(At(1.2), "w1.1", EventKind.Queued, RecordedLock, 1),
            new(At(1.5), "w1.1", EventKind.GivingUp, RecordedLock, 1),
            new(At(2), "w1.1", EventKind.GaveUp, RecordedLock, 1),
            new(At(2.1), "w1.1", EventKind.Waiting, RecordedLock, 2),
            new(At(2.5), "w1.1", EventKind.GaveUp, RecordedLock, 2),
        ];
        Wait[] waits = [new("w1.1", "w1", RecordedLock, At(1), At(2), IsGranted: false, Queued: At(1.2), Left: At(1.5)), new("w1.1", "w1", RecordedLock, At(2.1), At(2.5), IsGranted: false)];
        Assert.Equal(waits, RunRecord.Read(events, Run().Settings, At(0), At(9), At(0)).Waits);
    }

    [Fact]
    [Promise("G9")]
    public void When_a_waiter_was_told_its_place_is_read_from_the_history()
    {
        HistoryEvent[] events =
        [
            new(At(1), "w1.1", EventKind.Waiting, RecordedLock, 1),
            new(At(1.2), "w1.1", EventKind.Queued, RecordedLock, 1),
            new(At(1.5), "w1.1", EventKind.Queued, RecordedLock, 1),
            new(At(2), "w1.1", EventKind.Granted, RecordedLock, 1, 5),
        ];
        Assert.Equal([new Wait("w1.1", "w1", RecordedLock, At(1), At(2), IsGranted: true, 5, Queued: At(1.2))], RunRecord.Read(events, Run().Settings, At(0), At(9), At(0)).Waits);
    }

    [Fact]
    public void What_is_left_on_the_server_is_found() => Assert.Equal([CheckKind.Residue], Check(Run() with { Residue = ["a key"] }));

    [Fact]
    public void What_fails_in_a_worker_is_found() => Assert.Equal([CheckKind.Workers], Check(Run() with { Failures = ["a crash"] }));

    [Fact]
    [Promise("G11")]
    public void A_fire_that_runs_twice_is_found() => Assert.Contains(CheckKind.Fires, Check(Scheduled([.. Seconds(), new Fire("w2.1", At(5.5), Time(5))])));

    [Fact]
    [Failure("F33")]
    public void A_fire_that_does_not_run_is_found() => Assert.Equal([CheckKind.Fires], Check(Scheduled([.. Seconds().Where(fire => fire.Time != Time(7))])));

    [Fact]
    [Failure("F33")]
    public void A_fire_may_be_missing_while_a_worker_dies() =>
        Assert.Empty(Check(Scheduled([.. Seconds().Where(fire => fire.Time != Time(7))]) with { Disturbances = [Strike(FaultKind.Kill, 6, 6.5, "w1")] }));

    [Fact]
    [Promise("G11")]
    public void A_schedule_that_never_runs_is_found() => Assert.Equal([CheckKind.Fires], Check(Scheduled([])));

    [Fact]
    public void Pauses_are_known_though_their_process_did_not_note_them() =>
        Assert.Equal(
            [Gap("w1.1", 1, 2), Gap("w1.1", 3, 6), Gap("w1.2", 3, 5), Gap("w2.1", 1, 2)],
            Checking.Gap.Join(
                [Gap("w1.1", 1, 2), Gap("w1.1", 4, 6), Gap("w2.1", 1, 2)],
                [Strike(FaultKind.PauseLong, 3, 5, "w1"), Strike(FaultKind.Kill, 1, 9, "w2")],
                ["w1.1", "w1.2", "w2.1"],
                TimeSpan.FromSeconds(0.5)));

    [Fact]
    [Failure("F47")]
    public void A_process_whose_clock_stood_still_has_a_second_and_the_margin_to_notice() =>
        Assert.Equal([Gap("w1.1", 3, 6.5)], Checking.Gap.Join([], [Strike(FaultKind.SuspendMachine, 3, 5, "w1")], ["w1.1"], TimeSpan.FromSeconds(0.5)));

    [Fact]
    public void A_history_is_read_as_its_processes_believed()
    {
        HistoryEvent[] events =
        [
            new(At(1), "w1.1", EventKind.Waiting, RecordedLock, 1),
            new(At(2), "w1.1", EventKind.Granted, RecordedLock, 1, 1_001_900_000),
            new(At(2.5), "w2.1", EventKind.Waiting, RecordedLock, 1),
            new(At(3), "w1.1", EventKind.Lost, RecordedLock, 1),
            new(At(3.1), "w2.1", EventKind.Granted, RecordedLock, 1, 1_000_000_000),
            new(At(3.2), "w3.1", EventKind.Waiting, RecordedLock, 1),
            new(At(4), "w2.1", EventKind.Ended),
            new(At(5), "w3.1", EventKind.Ended),
        ];

        var run = RunRecord.Read(events, Run().Settings, TimeSpan.Zero, At(5), wallClock: At(1000));

        Assert.Equal(
            [
                new Holding("w1.1", "w1", RecordedLock, 1, 1_001_900_000, At(1), At(2), At(1.9), At(3), HoldingEnd.Lost),

                // Its token is older than its request, and says nothing of the time.
                new Holding("w2.1", "w2", RecordedLock, 1, 1_000_000_000, At(2.5), At(3.1), At(3.1), At(4), HoldingEnd.Died),
            ],
            run.Holdings);
        Assert.Equal(new Wait("w3.1", "w3", RecordedLock, At(3.2), At(5), IsGranted: false), run.Waits[^1]);
    }

    private static List<CheckKind> Check(RunRecord run) => [.. Checker.Check(run).Violations.Select(violation => violation.Check)];

    private static RunRecord Waited(RunRecord run, Wait wait) => run with { Waits = [.. run.Waits, wait] };

    private static ResourceWrite Write(string by, long token, bool isAccepted) => new(At(token), RecordedLock, by, 1, token, isAccepted);

    private static RunRecord Scheduled(IReadOnlyList<Fire> fires)
    {
        var run = Run();
        return run with { End = At(12), Settings = run.Settings with { Workload = Workload.Schedule }, Fires = fires };
    }

    private static IEnumerable<Fire> Seconds() => Enumerable.Range(0, 13).Select(i => new Fire("w1.1", At(i), Time(i)));

    private static DateTime Time(int second) => new(2026, 1, 1, 0, 0, second, DateTimeKind.Utc);
}
