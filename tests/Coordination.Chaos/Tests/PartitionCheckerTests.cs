using Coordination.Chaos.Checking;
using Coordination.Chaos.Faults;
using static Coordination.Chaos.Tests.Recorded;

namespace Coordination.Chaos.Tests;

/// <summary>What the checker finds, and what it lets pass, of three partitions that two workers share for 30 s, with a look each second.</summary>
public sealed class PartitionCheckerTests
{
    [Fact]
    public void Partitions_that_are_led_at_any_time_in_fair_shares_are_fine() => Assert.Empty(Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w2.1", 2))));

    [Theory]
    [Promise("G4")]
    [InlineData(9, 0)]
    [InlineData(9.1, 1)]
    public void A_partition_that_nobody_leads_for_long_is_found(double next, int found) =>
        Assert.Equal(found, Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w2.1", 2, end: 5), Led("w2.1", 2, from: next))).Count);

    [Fact]
    [Promise("G4")]
    public void A_partition_that_nobody_leads_at_first_is_found() => Assert.Equal([CheckKind.Partitions], Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w2.1", 2, from: 4.1))));

    [Fact]
    [Promise("G4")]
    public void A_partition_that_nobody_leads_in_the_end_is_found() =>
        Assert.Equal([CheckKind.Partitions, CheckKind.Partitions], Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w2.1", 2, end: 25.9))));

    [Fact]
    [Promise("G4")]
    public void A_partition_that_nobody_ever_leads_is_found() => Assert.Contains(CheckKind.Partitions, Check(Shared(Led("w1.1", 0), Led("w2.1", 1))));

    [Theory]
    [InlineData(10, 0)]
    [InlineData(10.1, 1)]
    public void What_strikes_while_nobody_leads_is_counted_from_its_end(double next, int found) =>
        Assert.Equal(found, Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w2.1", 2, end: 5), Led("w2.1", 2, from: next)) with { Disturbances = [Strike(FaultKind.Kill, 5, 6, "w2")] }).Count);

    [Theory]
    [InlineData(9.5, 0)]
    [InlineData(9.6, 1)]
    public void The_time_in_which_a_process_was_not_scheduled_comes_on_top(double next, int found) =>
        Assert.Equal(
            found,
            Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w2.1", 2, end: 5), Led("w2.1", 2, from: next)) with { Gaps = [Gap("w1.1", 4, 5.2), Gap("w1.1", 6, 6.3), Gap("w2.1", 7, 7.4)] }).Count);

    [Fact]
    public void Shares_that_are_not_fair_are_found() => Assert.Equal([CheckKind.Partitions, CheckKind.Partitions], Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w1.1", 2))));

    [Theory]
    [InlineData(22, 2)]
    [InlineData(22.1, 0)]
    public void Shares_need_not_be_fair_soon_after_a_fault(double until, int found) =>
        Assert.Equal(found, Check(Shared(Led("w1.1", 0), Led("w1.1", 1), Led("w1.1", 2)) with { Disturbances = [Strike(FaultKind.Kill, 20, until, "w2")] }).Count);

    private static List<CheckKind> Check(RunRecord run) => [.. Checker.Check(run).Violations.Select(violation => violation.Check)];

    private static Holding Led(string by, int partition, double from = 0.5, double end = 31) =>
        Hold(by, (long)(from * 10) + 1, from, from, end) with { Lock = $"parts/{partition}", Attempt = partition };

    private static RunRecord Shared(params Holding[] holdings)
    {
        var run = Run(holdings);
        return run with { Waits = [], Settings = run.Settings with { Partitions = ["parts/0", "parts/1", "parts/2"], Workers = 2, BalanceInterval = At(1) } };
    }
}
