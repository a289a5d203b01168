using Coordination.Model.Checking;

namespace Coordination.Model;

/// <summary>Two locks that nodes take together.</summary>
[Needs(Need.LongTier, Need.Spin, Need.CCompiler)]
public sealed class TogetherTests
{
    [Fact]
    [Promise("G1", "G4", "G8")]
    public async Task Who_take_both_locks_in_one_order_get_all_or_none_and_never_wait_in_a_circle() =>
        (await Spin.FindViolationAsync("together")).Holds(100_000);

    [Theory]
    [InlineData("G4_no_circle", "ANY_ORDER")]
    [InlineData("G8_nothing_left", "KEEPS_PART")]
    [InlineData("G8_nothing_left", "KEEPS_FIRST")]
    public async Task A_broken_twin_with_two_locks_is_refuted(string promise, string twin) =>
        (await Spin.FindExpectedViolationAsync("together", twin)).IsRefuted(promise);
}
