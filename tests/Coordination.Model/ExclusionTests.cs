using Coordination.Model.Checking;

namespace Coordination.Model;

[Needs(Need.LongTier, Need.Spin, Need.CCompiler)]
public sealed class ExclusionTests
{
    [Fact]
    [Promise("G1", "G2", "G5", "G6", "G8")]
    public async Task With_three_nodes_nothing_that_is_lost_late_or_stopped_makes_two() =>
        (await Spin.FindViolationAsync("exclusion", "NODES=3")).Holds(atLeast: 100_000);

    [Fact]
    [Promise("G1", "G2", "G5", "G6", "G8")]
    [Failure("F6")]
    public async Task What_is_left_of_an_earlier_acquisition_harms_no_later_one() =>
        (await Spin.FindViolationAsync("exclusion", "NODES=2", "TURNS=2")).Holds(atLeast: 500_000);

    [Fact]
    [Promise("G1", "G5", "G6")]
    [Failure("F4")]
    public async Task Two_tasks_of_one_owner_share_a_lock_that_may_have_to_rest() =>
        (await Spin.FindViolationAsync("exclusion", "NODES=3", "SHARED_OWNER", "AT_LEAST")).Holds(atLeast: 300_000);

    [Fact]
    [Promise("G3")]
    [Failure("F18", "F29")]
    public async Task Tokens_grow_whatever_is_lost_of_the_data_or_of_the_clock() =>
        (await Spin.FindViolationAsync("exclusion", "NODES=2", "DATA_LOSS")).Holds(atLeast: 100_000);

    [Fact]
    [Promise("G2")]
    [Failure("F12", "F14")]
    public async Task The_deadline_comes_the_margin_before_the_end_of_the_lease_in_the_store() =>
        (await Spin.FindViolationAsync("deadline")).Holds(atLeast: 100_000);

    [Fact]
    [Promise("G2")]
    [Failure("F47")]
    public async Task Who_was_suspended_relies_on_nothing_that_was_asked_for_before() =>
        (await Spin.FindViolationAsync("deadline", "SUSPENSION")).Holds(atLeast: 1_000_000);

    [Fact]
    [Promise("G2")]
    [Failure("F14")]
    public async Task Who_starts_by_a_handover_is_told_the_margin_before_its_end_in_the_store() =>
        (await Spin.FindViolationAsync("handover")).Holds(atLeast: 1_000_000);

    [Fact]
    [Promise("G2")]
    [Failure("F47")]
    public async Task Who_was_suspended_starts_by_no_handover_that_a_moment_before_proves() =>
        (await Spin.FindViolationAsync("handover", "SUSPENSION", "LEASE=3")).Holds(atLeast: 1_000_000);

    [Theory]
    [Failure("F47")]
    [InlineData("NO_SECOND_CLOCK")]
    [InlineData("REPLY_FROM_BEFORE")]
    [InlineData("GRANT_FROM_BEFORE")]
    public async Task A_twin_that_relies_on_a_clock_that_stood_still_is_refuted(string twin) =>
        (await Spin.FindExpectedViolationAsync("deadline", "SUSPENSION", twin)).IsRefuted("G2_told_first");

    [Fact]
    [Failure("F47")]
    public async Task A_twin_that_starts_by_a_moment_before_a_suspension_is_refuted() =>
        (await Spin.FindExpectedViolationAsync("handover", "SUSPENSION", "LEASE=3", "HANDOVER_FROM_BEFORE")).IsRefuted("G2_told_first");

    /// <summary>Each is a way in which who starts before it has claimed could rely on what it has not.</summary>
    [Theory]
    [Promise("G2")]
    [InlineData("FROM_HEARING")]
    [InlineData("BY_OWN_CLOCK")]
    [InlineData("EARLIER_HANDOVER")]
    [InlineData("NEWS_ALONE")]
    [InlineData("LAST_ASK_STAYS")]
    [InlineData("MESSAGE_STAYS")]
    [InlineData("OLDER_ENTRY")]
    [InlineData("WHOLE_WINDOW")]
    [InlineData("REPLY_FROM_ARRIVAL")]
    [InlineData("CLAIM_FROM_REPLY")]
    public async Task A_twin_that_starts_by_a_handover_in_another_way_is_refuted(string twin) =>
        (await Spin.FindExpectedViolationAsync("handover", twin)).IsRefuted("G2_told_first");

    [Theory]
    [InlineData("G2_told_first", "OLDER_HANDOVER")]
    [InlineData("G2_told_first", "SHARED_OWNER", "ANY_ENTRY")]
    [InlineData("G2_told_first", "SHARED_OWNER", "ENTRY_REPLACES")]
    [InlineData("G2_told_first", "DATA_LOSS", "EARLIER_HANDOVER")]
    [InlineData("G8_clean_cancel", "CLAIM_ACQUIRES")]
    [InlineData("G5_told_truly", "RELEASE_UNSEEN")]
    public async Task A_twin_that_takes_more_than_it_was_handed_over_is_refuted(string promise, params string[] switches) =>
        (await Spin.FindExpectedViolationAsync("exclusion", switches)).IsRefuted(promise);

    [Theory]
    [InlineData("exclusion", "NO_OWNER_CHECK", "G5_own_release_only")]
    [InlineData("exclusion", "RENEWAL_RECREATES", "G1_one_owner")]
    [InlineData("exclusion", "ENTRIES_COUNT", "G6_repeating_changes_nothing")]
    [InlineData("exclusion", "LATE_REPLY_REVIVES", "G2_told_first")]
    [InlineData("exclusion", "TOKEN_OF_TIME_ALONE", "G3_tokens_grow")]
    [InlineData("deadline", "DEADLINE_FROM_REPLY", "G2_told_first")]
    [InlineData("deadline", "LATE_REPLY_REVIVES", "G2_told_first")]
    [InlineData("deadline", "NO_MARGIN", "G2_told_first")]
    public async Task A_broken_twin_is_refuted(string model, string twin, string promise) =>
        (await Spin.FindExpectedViolationAsync(model, [twin, .. twin == "TOKEN_OF_TIME_ALONE" ? ["DATA_LOSS"] : Array.Empty<string>()])).IsRefuted(promise);
}
