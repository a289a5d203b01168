using Coordination.Model.Checking;

namespace Coordination.Model;

[Needs(Need.LongTier, Need.Spin, Need.CCompiler)]
public sealed class SharesTests
{
    [Theory]
    [Promise("G1", "G2", "G3", "G5", "G9")]
    [InlineData("SEMAPHORE", 300_000)]
    [InlineData("READERS", 100_000)]
    [InlineData("UPGRADE", 300_000)]
    public async Task Nothing_that_is_lost_or_stopped_lets_in_more_than_fit(string locks, int atLeast) =>
        (await Spin.FindViolationAsync("shares", locks, "NOTHING_LATE")).Holds(atLeast);

    /// <summary>Of who goes on to write; and of who reads, reads and may go on to write, or writes beside.</summary>
    [Theory]
    [Promise("G4", "G7", "G9")]
    [InlineData("SEMAPHORE", 0, 100_000)]
    [InlineData("READERS", 0, 100_000)]
    [InlineData("UPGRADE", 1, 20_000)]
    [InlineData("UPGRADE", 2, 20_000)]
    public async Task Every_live_waiter_gets_its_share_when_a_node_dies(string locks, int watched, int atLeast) =>
        (await Spin.FindStarvationAsync("shares", locks, "NOTHING_LATE", "ONCE", $"WATCHED={watched}")).Holds(atLeast);

    [Theory]
    [InlineData("G1_capacity", "SEMAPHORE", "ONE_TOO_MANY")]
    [InlineData("permits_differ", "SEMAPHORE", "LAPSED_TWICE")]
    [InlineData("permits_differ", "SEMAPHORE", "NUMBER_OF_COUNT")]
    [InlineData("no_place_left", "SEMAPHORE", "STAYS_FREE")]
    [InlineData("no_place_left", "READERS", "ONE_HANDOVER")]
    [InlineData("G9_fair", "READERS", "READER_PASSES")]
    [InlineData("G3_tokens_grow", "READERS", "TOKEN_OF_STEP")]
    [InlineData("G5_own_release_only", "SEMAPHORE", "ANY_SHARE")]
    [InlineData("G2_told_first", "SEMAPHORE", "FROM_REPLY")]
    [InlineData("G1_writer_alone", "UPGRADE", "BESIDE_READER")]
    public async Task A_broken_twin_with_shares_is_refuted(string promise, string locks, string twin) =>
        (await Spin.FindExpectedViolationAsync("shares", locks, "NOTHING_LATE", twin)).IsRefuted(promise);

    [Fact]
    [Promise("G7")]
    public async Task A_twin_in_which_an_upgrade_waits_behind_a_writer_never_ends() =>
        (await Spin.FindStarvationAsync("shares", "UPGRADE", "NOTHING_LATE", "ONCE", "WATCHED=2", "UPGRADE_BEHIND")).Starves();
}
