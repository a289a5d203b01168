using Coordination.Chaos.Checking;
using Coordination.Chaos.Faults;
using Coordination.Chaos.History;
using static Coordination.Chaos.Tests.Recorded;

namespace Coordination.Chaos.Tests;

/// <summary>What the checker finds, and what it lets pass, where a node is drained from 5 s to 12 s.</summary>
public sealed class DrainCheckerTests
{
    [Fact]
    [Promise("G14")]
    public void A_drained_node_that_gives_away_what_it_leads_is_fine() => Assert.Empty(Check(Drained(5.5, Hold("w1.1", 1, 1, 2, 5.4), Hold("w2.1", 2, 1.5, 5.5, 29))));

    [Theory]
    [InlineData(5.25, 0)]
    [InlineData(5.26, 1)]
    [InlineData(11.9, 1)]
    [InlineData(12.1, 0)]
    public void A_drained_node_that_leads_something_new_is_found(double granted, int found) => Assert.Equal(found, Check(Drained(5.2, Hold("w1.1", 1, granted - 0.1, granted, granted + 0.1))).Count);

    [Fact]
    public void Another_node_leads_what_it_likes() => Assert.Empty(Check(Drained(5.2, Hold("w2.1", 1, 5.9, 6, 29))));

    [Theory]
    [InlineData(6, 0)]
    [InlineData(6.1, 1)]
    public void A_drained_node_that_does_not_give_away_what_it_leads_is_found(double end, int found) => Assert.Equal(found, Check(Drained(6.5, Hold("w1.1", 1, 1, 2, end))).Count);

    [Fact]
    public void A_node_that_says_that_it_leads_nothing_and_leads_is_found() => Assert.Equal([CheckKind.Drain], Check(Drained(5.3, Hold("w1.1", 1, 1, 2, 5.4))));

    [Theory]
    [InlineData(7.1)]
    [InlineData(null)]
    public void A_node_that_does_not_say_in_time_that_it_leads_nothing_is_found(double? drained) => Assert.Equal([CheckKind.Drain], Check(Drained(drained)));

    [Fact]
    public void A_node_that_is_resumed_soon_need_not_say_anything() => Assert.Empty(Check(Run() with { Drains = [new Drain("w1.1", At(5), null, At(7))] }));

    [Fact]
    public void A_pause_of_a_drained_node_comes_on_top() => Assert.Empty(Check(Drained(9.5, Hold("w1.1", 1, 1, 2, 8.9)) with { Gaps = [Gap("w1.1", 5.5, 8.5)] }));

    [Theory]
    [InlineData("w1", 0)]
    [InlineData("w2", 1)]
    public void An_outage_of_a_drained_node_excuses_that_it_takes_longer(string worker, int found) =>
        Assert.Equal(found, Check(Drained(6.5, Hold("w1.1", 1, 1, 2, 6.4)) with { Disturbances = [Strike(FaultKind.BlackHole, 4, 5.5, worker)] }).Count);

    [Fact]
    public void An_outage_does_not_excuse_that_a_drained_node_leads_something_new() =>
        Assert.Equal([CheckKind.Drain], Check(Drained(5.2, Hold("w1.1", 1, 5.9, 6, 6.1)) with { Disturbances = [Strike(FaultKind.BlackHole, 4, 5.5, "w1")] }));

    [Fact]
    public void Drains_are_read_for_each_process()
    {
        HistoryEvent[] events =
        [
            new(At(1), "w1.1", EventKind.Draining),
            new(At(1.1), "w2.1", EventKind.Draining),
            new(At(1.5), "w1.1", EventKind.Drained),
            new(At(2), "w1.1", EventKind.Resumed),
            new(At(2.1), "w1.1", EventKind.Drained),
            new(At(3), "w2.1", EventKind.Ended),
            new(At(4), "w1.1", EventKind.Draining),
        ];

        Assert.Equal(
            [new Drain("w1.1", At(1), At(1.5), At(2)), new Drain("w2.1", At(1.1), null, At(3)), new Drain("w1.1", At(4), null, At(9))],
            RunRecord.Read(events, Run().Settings, TimeSpan.Zero, At(9), wallClock: At(1000)).Drains);
    }

    [Theory]
    [InlineData(2_900, 2.9)]
    [InlineData(1, 3)]
    public void Who_does_not_say_that_it_waits_was_granted_when_its_token_says(long milliseconds, double waitedFrom)
    {
        HistoryEvent[] events = [new(At(3), "w1.1", EventKind.Granted, RecordedLock, 1, 1_000_000_000 + (milliseconds * 1000)), new(At(4), "w1.1", EventKind.Releasing, RecordedLock, 1)];

        Assert.Equal(At(waitedFrom), RunRecord.Read(events, Run().Settings with { Lease = At(2) }, TimeSpan.Zero, At(9), wallClock: At(1000)).Holdings.Single().WaitedFrom);
    }

    private static List<CheckKind> Check(RunRecord run) => [.. Checker.Check(run).Violations.Select(violation => violation.Check)];

    private static RunRecord Drained(double? at, params Holding[] holdings) => Run(holdings) with { Drains = [new Drain("w1.1", At(5), at is { } drained ? At(drained) : null, At(12))] };
}
