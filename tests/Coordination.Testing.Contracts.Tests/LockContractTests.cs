using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing.Contracts.Tests.Broken;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Sdk;

namespace Coordination.Testing.Contracts.Tests;

/// <summary>What a broken store does to users: the test that is about it says so, and holds for the same store in one piece.</summary>
public sealed class LockContractTests
{
    [Fact]
    public Task Locks_that_two_hold_are_caught() =>
        AssertCaughtAsync(store => new GrantsToAll(store), suite => suite.A_try_on_a_lock_that_is_held_gives_no_lease_whichever_node_tries());

    [Fact]
    public Task Leases_that_are_not_lost_with_their_lock_are_caught() =>
        AssertCaughtAsync(store => new RenewsForAnybody(store), suite => suite.A_renewal_by_hand_after_the_store_lost_its_data_says_so_and_makes_no_lock());

    [Fact]
    public Task Waiters_that_leave_something_behind_are_caught() =>
        AssertCaughtAsync(store => new KeepsWhoLeaves(store), suite => suite.A_wait_ends_when_it_is_cancelled_and_leaves_nothing());

    [Fact]
    public Task Waiters_that_are_not_woken_are_caught() =>
        AssertCaughtAsync(store => new TellsNobody(store), suite => suite.A_release_hands_the_lock_over_long_before_the_lease_would_have_ended());

    private static async Task AssertCaughtAsync(Func<ILockStore, ILockStore> breaks, Func<LockContract, Task> test)
    {
        await RunAsync(store => store, test);
        var caught = await Assert.ThrowsAnyAsync<Exception>(() => RunAsync(breaks, test));

        // What does not come about in time is a failure, too.
        Assert.True(caught is XunitException or TimeoutException, caught.ToString());
    }

    private static async Task RunAsync(Func<ILockStore, ILockStore> change, Func<LockContract, Task> test)
    {
        await using var suite = new Suite(change);
        await suite.InitializeAsync();
        await test(suite);
    }

    /// <summary>As an author writes it; no test class of its own, for it is not public.</summary>
    private sealed class Suite(Func<ILockStore, ILockStore> change) : LockContract
    {
        private readonly InMemoryLockStore _store = new();

        protected override void UseStore(ICoordinationBuilder builder) => builder.Services.AddSingleton(change(_store));

        protected override Task LoseAllDataAsync()
        {
            _store.Clear();
            return Task.CompletedTask;
        }
    }
}
