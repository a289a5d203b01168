using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing.Contracts.Tests.Broken;
using Xunit.Sdk;

namespace Coordination.Testing.Contracts.Tests;

/// <summary>Stores that are broken on purpose where several may hold a lock: the test that is about it says so, and holds for the same store in one piece.</summary>
public sealed class LockStoreShareContractTests
{
    [Fact]
    public Task A_store_that_lets_in_one_too_many_is_caught() =>
        AssertCaughtAsync(store => new LetsInOneTooMany(store), suite => suite.A_semaphore_lets_in_as_many_as_it_has_permits_and_each_has_its_number(permits: 3));

    [Fact]
    public Task A_store_that_lets_readers_overtake_a_writer_is_caught() =>
        AssertCaughtAsync(store => new LetsReadersOvertake(store), suite => suite.A_writer_that_waits_is_not_overtaken_by_readers_that_came_later());

    [Fact]
    public Task A_store_that_gives_a_number_twice_is_caught() =>
        AssertCaughtAsync(store => new GivesANumberTwice(store), suite => suite.Of_many_owners_that_race_as_many_are_granted_a_permit_as_there_are());

    [Fact]
    public Task A_store_that_counts_the_dead_is_caught() =>
        AssertCaughtAsync(store => new CountsTheDead(store), suite => suite.A_permit_that_is_not_claimed_or_whose_holder_died_is_free_for_who_tries());

    [Fact]
    public Task A_store_that_releases_anothers_share_is_caught() =>
        AssertCaughtAsync(store => new ReleasesAnothersShare(store), suite => suite.A_release_that_is_late_or_repeated_or_anothers_touches_no_other_holder());

    [Fact]
    public Task A_store_that_keeps_each_kind_by_itself_is_caught() =>
        AssertCaughtAsync(store => new KeepsEachKindByItself(store), suite => suite.A_name_in_use_is_refused_with_another_capacity_and_had_once_it_is_free());

    [Fact]
    public Task A_store_that_lets_nobody_in_behind_who_leaves_is_caught() =>
        AssertCaughtAsync(store => new LetsNobodyInBehindWhoLeaves(store), suite => suite.A_waiter_that_leaves_lets_in_those_behind_it());

    [Fact]
    public Task A_store_that_recovers_what_is_under_way_is_caught() =>
        AssertCaughtAsync(store => new RecoversWhatIsUnderWay(store), suite => suite.A_run_under_way_is_not_recovered_though_there_is_room_beside_it());

    [Fact]
    public Task A_store_that_upgrades_nothing_is_caught() =>
        AssertCaughtAsync(store => new UpgradesNothing(store), suite => suite.There_is_nothing_to_upgrade_but_an_upgradeable_read_that_is_held());

    [Fact]
    public Task A_store_that_ignores_a_successor_of_a_permit_is_caught() =>
        AssertCaughtAsync(store => new IgnoresSuccessors(store), suite => suite.A_permit_passes_to_the_named_node_before_those_that_came_earlier(isOwn: false));

    [Fact]
    public async Task A_store_that_keeps_no_shares_fails_and_is_not_skipped()
    {
        var failed = await Assert.ThrowsAnyAsync<XunitException>(() => RunAsync(store => new KeepsNoShares(store), _ => Task.CompletedTask));
        Assert.Contains(nameof(ILockStore.KeepsShares), failed.Message, StringComparison.Ordinal);
    }

    private static async Task AssertCaughtAsync(Func<ILockStore, ILockStore> breaks, Func<LockStoreShareContract, Task> test)
    {
        await RunAsync(store => store, test);
        await Assert.ThrowsAnyAsync<XunitException>(() => RunAsync(breaks, test));
    }

    private static async Task RunAsync(Func<ILockStore, ILockStore> change, Func<LockStoreShareContract, Task> test)
    {
        await using var suite = new Suite(change(new InMemoryLockStore()));
        await suite.InitializeAsync();
        await test(suite);
    }

    /// <summary>As an author writes it; no test class of its own, for it is not public.</summary>
    private sealed class Suite(ILockStore store) : LockStoreShareContract
    {
        protected override Task<ILockStore> CreateStoreAsync() => Task.FromResult(store);
    }
}
