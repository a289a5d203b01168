using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing.Contracts.Tests.Broken;
using Xunit.Sdk;

namespace Coordination.Testing.Contracts.Tests;

/// <summary>Stores that are broken on purpose: the test that is about what they do wrong says so, and holds for the same store in one piece.</summary>
public sealed class LockStoreContractTests
{
    [Fact]
    public Task A_store_that_grants_a_lock_twice_is_caught() =>
        AssertCaughtAsync(store => new GrantsToAll(store), suite => suite.Of_many_owners_that_race_exactly_one_is_granted_the_lock());

    [Fact]
    public Task A_store_whose_tokens_do_not_grow_is_caught() =>
        AssertCaughtAsync(store => new RepeatsItsTokens(store), suite => suite.Tokens_grow_with_every_grant());

    [Fact]
    public Task A_store_that_renews_for_anybody_is_caught() =>
        AssertCaughtAsync(store => new RenewsForAnybody(store), suite => suite.A_renewal_by_someone_else_extends_nothing());

    [Fact]
    public Task A_store_that_makes_a_lock_of_a_renewal_is_caught() =>
        AssertCaughtAsync(store => new MakesLostLocksAnew(store), suite => suite.A_renewal_never_makes_a_lock());

    [Fact]
    public Task A_store_that_releases_for_anybody_is_caught() =>
        AssertCaughtAsync(store => new ReleasesForAnybody(store), suite => suite.A_release_by_someone_else_touches_nothing());

    [Fact]
    public Task A_store_that_counts_a_repeated_request_twice_is_caught() =>
        AssertCaughtAsync(store => new CountsRepeatsTwice(store), suite => suite.A_repeated_acquire_is_the_same_grant_and_one_entry());

    [Fact]
    public Task A_store_that_keeps_who_leaves_its_queue_is_caught() =>
        AssertCaughtAsync(store => new KeepsWhoLeaves(store), suite => suite.A_waiter_that_leaves_the_queue_is_not_passed_the_lock());

    [Fact]
    public Task A_store_that_lets_newcomers_overtake_is_caught() =>
        AssertCaughtAsync(store => new LetsNewcomersOvertake(store), suite => suite.The_lock_passes_on_in_the_order_of_arrival());

    [Fact]
    public Task A_store_that_tells_nobody_is_caught() =>
        AssertCaughtAsync(store => new TellsNobody(store), suite => suite.A_release_grants_the_lock_to_one_waiter_and_tells_its_node());

    [Fact]
    public Task A_store_that_forgets_what_was_run_is_caught() =>
        AssertCaughtAsync(store => new ForgetsOccurrences(store), suite => suite.An_occurrence_that_was_run_is_refused_to_all_and_an_earlier_one_too());

    [Fact]
    public Task A_store_that_sends_nothing_for_who_gave_up_is_caught() =>
        AssertCaughtAsync(store => new SendsNothingForWhoGaveUp(store), suite => suite.A_release_is_sent_with_a_token_that_is_cancelled_already());

    [Fact]
    public Task A_store_that_keeps_who_claims_in_its_queue_is_caught() =>
        AssertCaughtAsync(store => new KeepsWhoClaims(store), suite => suite.A_claim_takes_the_waiter_out_of_the_queue_and_has_the_whole_lease(withOthers: false));

    [Fact]
    public Task A_store_that_keeps_the_lease_of_an_entry_that_was_left_is_caught() =>
        AssertCaughtAsync(store => new KeepsTheLongestLease(store), suite => suite.The_renewal_of_the_only_entry_ends_a_longer_lease_of_one_that_was_left());

    [Fact]
    public Task A_store_that_shortens_a_lease_for_an_entry_that_was_left_is_caught() =>
        AssertCaughtAsync(store => new ShortensForAnyEntry(store), suite => suite.The_renewal_of_the_only_entry_ends_a_longer_lease_of_one_that_was_left());

    [Fact]
    public Task A_store_that_tells_nobody_of_a_handover_is_caught() =>
        AssertCaughtAsync(store => new TellsNobodyOfHandovers(store), suite => suite.A_release_may_hand_the_lock_to_a_waiter_of_its_own_node_by_its_reply());

    [Fact]
    public Task A_store_that_ignores_a_successor_is_caught() =>
        AssertCaughtAsync(store => new IgnoresSuccessors(store), suite => suite.A_release_passes_the_lock_to_the_named_node_before_those_that_came_earlier());

    [Fact]
    public Task A_store_that_forgets_notes_is_caught() =>
        AssertCaughtAsync(store => new ForgetsNotes(store), suite => suite.A_lock_that_is_handed_over_has_the_note_of_its_new_holder_at_once(byReply: false));

    [Fact]
    public Task A_store_that_asks_nobody_to_step_down_is_caught() =>
        AssertCaughtAsync(store => new AsksNobodyToStepDown(store), suite => suite.A_holder_that_is_asked_to_step_down_is_told_so_and_keeps_the_lock());

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task A_store_that_grants_some_of_several_locks_is_caught(int held) =>
        AssertCaughtAsync(store => new GrantsSomeOfSeveral(store), suite => suite.None_of_several_locks_is_granted_where_one_is_anothers(held));

    [Fact]
    public Task A_store_that_grants_several_locks_out_of_turn_is_caught() =>
        AssertCaughtAsync(store => new TakesSeveralOutOfTurn(store), suite => suite.Several_locks_overtake_nobody_who_waits_for_one_of_them());

    [Fact]
    public Task A_store_that_overlooks_the_last_of_several_holders_is_caught() =>
        AssertCaughtAsync(store => new OverlooksTheLastOfSeveral(store), suite => suite.None_of_several_locks_is_granted_where_one_is_anothers(held: 2));

    private static async Task AssertCaughtAsync(Func<ILockStore, ILockStore> breaks, Func<LockStoreContract, Task> test)
    {
        await RunAsync(store => store, test);
        await Assert.ThrowsAnyAsync<XunitException>(() => RunAsync(breaks, test));
    }

    private static async Task RunAsync(Func<ILockStore, ILockStore> change, Func<LockStoreContract, Task> test)
    {
        await using var suite = new Suite(change(new InMemoryLockStore()));
        await suite.InitializeAsync();
        await test(suite);
    }

    /// <summary>As an author writes it; no test class of its own, for it is not public.</summary>
    private sealed class Suite(ILockStore store) : LockStoreContract
    {
        protected override Task<ILockStore> CreateStoreAsync() => Task.FromResult(store);
    }
}
