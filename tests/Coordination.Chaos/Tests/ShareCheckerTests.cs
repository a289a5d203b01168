using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Faults;
using Coordination.Chaos.History;
using static Coordination.Chaos.Tests.Recorded;
using static Coordination.LockShareKind;

namespace Coordination.Chaos.Tests;

/// <summary>What the checker finds, and what it lets pass, of a semaphore of three permits and of readers and writers.</summary>
public sealed class ShareCheckerTests
{
    [Fact]
    public void As_many_as_a_semaphore_bears_are_fine() =>
        Assert.Empty(Check(Run([.. Three(end: 20), HoldPermit("w4.1", 1, 4, 2.5, 5.1, 29)])));

    [Fact]
    [Promise("G1")]
    public void Two_with_one_permit_are_found() =>
        Assert.Equal([CheckKind.Exclusion], Check(Run(HoldPermit("w1.1", 0, 1, 1, 2, 20), HoldPermit("w2.1", 0, 2, 1.1, 2.1, 29))));

    [Theory]
    [Promise("G1")]
    [InlineData(3)]
    [InlineData(-1)]
    public void A_permit_that_there_is_not_is_found(int permit) =>
        Assert.Equal([CheckKind.Exclusion], Check(Run(HoldPermit("w1.1", permit, 1, 1, 2, 29))));

    [Fact]
    [Promise("G1")]
    public void One_more_than_a_semaphore_bears_is_found() =>
        Assert.Contains("4 have one of 3 permits", string.Join('\n', Texts(Run([.. Three(end: 20), HoldPermit("w4.1", 1, 4, 2.5, 4, 29)]))));

    [Fact]
    [Failure("F14")]
    public void A_permit_of_one_who_was_paused_may_be_another_s_until_it_looks() =>
        Assert.Empty(Check(Run([HoldPermit("w4.1", 1, 4, 2.5, 5.6, 29), .. Paused(until: 9.05)]) with { Gaps = [Gap("w2.1", 2.3, 9)] }));

    [Fact]
    [Failure("F14")]
    public void One_who_goes_on_with_another_s_permit_after_a_pause_is_found() =>
        Assert.Contains(CheckKind.Exclusion, Check(Run([HoldPermit("w4.1", 1, 4, 2.5, 5.6, 29), .. Paused(until: 10)]) with { Gaps = [Gap("w2.1", 2.3, 9)] }));

    [Fact]
    [Promise("G1")]
    public void One_who_was_paused_excuses_no_fifth() =>
        Assert.Contains(
            "5 have one of 3 permits",
            string.Join('\n', Texts(Run([HoldPermit("w4.1", 1, 4, 2.5, 5.6, 29), HoldPermit("w5.1", 0, 5, 2.5, 6, 29), .. Paused(until: 9.05)]) with { Gaps = [Gap("w2.1", 2.3, 9)] })));

    [Fact]
    [Failure("F18")]
    public void After_a_loss_a_semaphore_may_have_more_until_the_next_renewals() =>
        Assert.Empty(Check(Run([.. Three(end: 4.9, HoldingEnd.Lost, HoldingEnd.Lost), HoldPermit("w4.1", 0, 4, 2.5, 4.1, 29)]) with { Disturbances = [Lose(FaultKind.FlushAll, 4)] }));

    [Fact]
    public void Readers_are_fine_beside_each_other_and_an_upgrade_beside_its_read() =>
        Assert.Empty(Check(Run(
            HoldShare("w1.1", Read, 1, 1, 2, 4),
            HoldShare("w2.1", UpgradeableRead, 2, 1, 2.1, 20),
            HoldShare("w3.1", Read, 3, 1, 2.2, 4.1),
            HoldShare("w2.1", Upgrade, 4, 3, 4.2, 10) with { Reader = 2 },
            HoldShare("w1.1", Read, 5, 5, 10.1, 29))));

    [Theory]
    [Promise("G1")]
    [InlineData(Write, Read)]
    [InlineData(Read, Write)]
    [InlineData(Write, UpgradeableRead)]
    [InlineData(UpgradeableRead, Write)]
    [InlineData(UpgradeableRead, UpgradeableRead)]
    [InlineData(Write, Write)]
    [InlineData(Upgrade, Read)]
    [InlineData(Read, Upgrade)]
    [InlineData(Upgrade, UpgradeableRead)]
    [InlineData(UpgradeableRead, Upgrade)]
    public void A_writer_beside_anybody_is_found_and_an_upgradeable_read_beside_another(LockShareKind first, LockShareKind second) =>
        Assert.Equal([CheckKind.Exclusion], Check(Run(HoldShare("w1.1", first, 1, 1, 2, 20), HoldShare("w2.1", second, 2, 1.1, 2.1, 29))));

    [Fact]
    [Promise("G1")]
    public void An_upgrade_beside_an_earlier_read_of_its_process_is_found() =>
        Assert.Equal([CheckKind.Exclusion], Check(Run(HoldShare("w1.1", UpgradeableRead, 1, 1, 2, 20), HoldShare("w1.1", Upgrade, 3, 1.1, 2.1, 29) with { Reader = 2 })));

    [Fact]
    [Promise("G3")]
    public void A_token_that_two_readers_have_is_found() =>
        Assert.Equal([CheckKind.Tokens], Check(Run(HoldShare("w1.1", Read, 1, 1, 2, 20), HoldShare("w2.1", Read, 1, 1.1, 2.1, 29))));

    [Fact]
    [Promise("G3")]
    public void A_token_that_does_not_grow_beside_another_holder_is_found() =>
        Assert.Equal([CheckKind.Tokens], Check(Run(HoldPermit("w1.1", 0, 5, 1, 2, 20), HoldPermit("w2.1", 1, 4, 2.5, 2.6, 29))));

    [Theory]
    [Promise("G2")]
    [InlineData(Write, 1)]
    [InlineData(Read, 0)]
    public void A_reader_is_told_of_its_loss_before_the_next_writer(LockShareKind next, int found) =>
        Assert.Equal(found, Check(Run(HoldShare("w1.1", Read, 1, 1, 2, 4.9, HoldingEnd.Lost), HoldShare("w2.1", next, 2, 4.8, 5, 29))).Count(check => check == CheckKind.ToldFirst));

    [Fact]
    [Promise("G2")]
    public void A_holder_is_told_before_its_permit_is_another_s_not_before_others_are() =>
        Assert.Equal(
            [CheckKind.ToldFirst],
            Check(Run(HoldPermit("w1.1", 0, 1, 1, 2, 4.9, HoldingEnd.Lost), HoldPermit("w2.1", 1, 2, 1, 2.1, 4.9, HoldingEnd.Lost), HoldPermit("w3.1", 1, 3, 4, 5, 29))));

    [Theory]
    [Promise("G4")]
    [InlineData(6.2, 0)]
    [InlineData(6.3, 1)]
    public void A_permit_that_nobody_is_served_with_is_found(double granted, int found) =>
        Assert.Equal(found, Check(Run([.. Three(end: 29, second: HoldingEnd.Died, secondEnd: 3), HoldPermit("w4.1", 1, 4, 2.5, granted, 29)])).Count);

    [Fact]
    [Promise("G4")]
    public void A_writer_may_wait_for_readers_and_a_reader_behind_it_for_the_writer() =>
        Assert.Empty(Check(Waited(Run(HoldShare("w1.1", Read, 1, 1, 2, 29.9)), Vain("w2.1", Write, 3, 30), Vain("w3.1", Read, 4, 30))));

    [Fact]
    [Promise("G4")]
    public void A_reader_whose_way_no_writer_is_in_any_more_is_served() =>
        Assert.Equal([CheckKind.Served], Check(Waited(Run(HoldShare("w1.1", Read, 1, 1, 2, 29.9)), Vain("w2.1", Write, 3, 20), Vain("w3.1", Read, 4, 30))));

    [Fact]
    [Promise("G4")]
    public void An_upgrade_that_only_its_own_read_is_in_the_way_of_is_served() =>
        Assert.Equal([CheckKind.Served], Check(Waited(Run(HoldShare("w1.1", UpgradeableRead, 1, 1, 2, 29.9)), Vain("w1.1", Upgrade, 3, 30))));

    [Fact]
    [Promise("G9")]
    public void A_reader_that_overtakes_a_waiting_writer_is_found() =>
        Assert.Equal([CheckKind.Order], Check(Waited(Run(HoldShare("w1.1", Read, 1, 1, 2, 29), HoldShare("w3.1", Read, 2, 3.5, 3.6, 20)), Vain("w2.1", Write, 3, 20))));

    [Fact]
    [Promise("G9")]
    public void Of_two_that_were_granted_at_once_either_may_be_told_first() =>
        Assert.Empty(Check(Run(HoldShare("w1.1", Write, 1, 1, 2, 5), HoldShare("w2.1", Read, 2, 3, 5.2, 29), HoldShare("w3.1", Read, 3, 3.5, 5.1, 29))));

    [Fact]
    [Promise("G9")]
    public void An_upgrade_goes_before_a_writer_that_came_first() =>
        Assert.Empty(Check(Run(Upgraded(granted: 4, end: 5), HoldShare("w1.1", UpgradeableRead, 1, 1, 2, 6), HoldShare("w2.1", Write, 3, 2.5, 6.1, 29))));

    [Fact]
    [Promise("G9")]
    public void One_that_goes_before_an_upgrade_is_found_though_it_came_first() =>
        Assert.Contains(
            CheckKind.Order,
            Check(Run(Upgraded(granted: 8, end: 9), HoldShare("w1.1", UpgradeableRead, 1, 1, 2, 29), HoldShare("w2.1", Read, 2, 2.5, 7, 7.5)) with { Settings = Run().Settings with { Lease = At(10) } }));

    [Fact]
    public void A_history_tells_what_of_a_lock_its_processes_had()
    {
        HistoryEvent[] events =
        [
            new(At(2), "w1.1", EventKind.Waiting, Capacities.ReaderWriter, 2, Share: Upgrade, Reader: 1),
            new(At(3), "w1.1", EventKind.Granted, Capacities.ReaderWriter, 2, 1_002_900_000, Upgrade, Reader: 1),
            new(At(3), "w2.1", EventKind.Waiting, Capacities.Semaphore, 1, Share: Permit),
            new(At(4), "w2.1", EventKind.Granted, Capacities.Semaphore, 1, 1_003_900_000, Permit, 2),
            new(At(5), "w1.1", EventKind.Releasing, Capacities.ReaderWriter, 2),
            new(At(6), "w2.1", EventKind.Ended),
        ];

        var run = RunRecord.Read(events, Run().Settings, TimeSpan.Zero, At(7), wallClock: At(1000));

        Assert.Equal(
            [
                new Holding("w1.1", "w1", Capacities.ReaderWriter, 2, 1_002_900_000, At(2), At(3), At(2.9), At(5), HoldingEnd.Released, Upgrade, Reader: 1),
                new Holding("w2.1", "w2", Capacities.Semaphore, 1, 1_003_900_000, At(3), At(4), At(3.9), At(6), HoldingEnd.Died, Permit, 2),
            ],
            run.Holdings);
        Assert.Equal(new Wait("w2.1", "w2", Capacities.Semaphore, At(3), At(4), IsGranted: true, 1_003_900_000, Permit), run.Waits[^1]);
    }

    private static List<CheckKind> Check(RunRecord run) => [.. Checker.Check(run).Violations.Select(violation => violation.Check)];

    private static IEnumerable<string> Texts(RunRecord run) => Checker.Check(run).Violations.Select(violation => violation.Text);

    private static RunRecord Waited(RunRecord run, params Wait[] waits) => run with { Waits = [.. run.Waits.Concat(waits).OrderBy(wait => wait.From)] };

    private static Wait Vain(string by, LockShareKind share, double from, double to) => WaitInVain(by, from, to) with { Lock = Capacities.ReaderWriter, Share = share };

    private static Holding Upgraded(double granted, double end) => HoldShare("w1.1", Upgrade, 2, 3, granted, end) with { Attempt = 2, Reader = 1, Token = granted > 7 ? 3 : 2 };

    /// <summary>All permits of the semaphore, of which the second is released at five seconds unless it is said otherwise.</summary>
    private static Holding[] Three(double end, HoldingEnd ending = HoldingEnd.Released, HoldingEnd second = HoldingEnd.Released, double? secondEnd = null) =>
    [
        HoldPermit("w1.1", 0, 1, 1, 2, end, ending),
        HoldPermit("w2.1", 1, 2, 1, 2.1, secondEnd ?? Math.Min(end, 5), second),
        HoldPermit("w3.1", 2, 3, 1, 2.2, end, ending),
    ];

    private static Holding[] Paused(double until) =>
    [
        HoldPermit("w1.1", 0, 1, 1, 2, 29),
        HoldPermit("w2.1", 1, 2, 1, 2.1, until, HoldingEnd.Lost),
        HoldPermit("w3.1", 2, 3, 1, 2.2, 29),
    ];
}
