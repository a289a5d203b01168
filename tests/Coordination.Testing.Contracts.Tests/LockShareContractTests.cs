using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing.Contracts.Tests.Broken;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Sdk;

namespace Coordination.Testing.Contracts.Tests;

/// <summary>What a broken store does to users of locks that several may hold: the test that is about it says so, and holds for the same store in one piece.</summary>
public sealed class LockShareContractTests
{
    [Fact]
    public Task One_holder_too_many_is_caught() =>
        AssertCaughtAsync(store => new LetsInOneTooMany(store), suite => suite.Nodes_that_compete_for_a_semaphore_never_hold_more_permits_than_there_are());

    [Fact]
    public Task A_number_that_two_have_is_caught() =>
        AssertCaughtAsync(store => new GivesANumberTwice(store), suite => suite.Nodes_that_compete_for_a_semaphore_never_hold_more_permits_than_there_are());

    [Fact]
    public Task Writers_beside_readers_are_caught() =>
        AssertCaughtAsync(store => new WritesAsItReads(store), suite => suite.Nodes_that_compete_to_read_and_write_never_write_beside_anybody());

    [Fact]
    public Task Readers_that_overtake_are_caught() =>
        AssertCaughtAsync(store => new LetsReadersOvertake(store), suite => suite.A_writer_that_waits_is_served_before_readers_that_came_later_and_they_together());

    [Fact]
    public Task Names_that_are_used_in_two_ways_are_caught() =>
        AssertCaughtAsync(store => new KeepsEachKindByItself(store), suite => suite.A_name_in_use_is_refused_in_another_way_with_a_sentence_that_names_both());

    private static async Task AssertCaughtAsync(Func<ILockStore, ILockStore> breaks, Func<LockShareContract, Task> test)
    {
        await RunAsync(store => store, test);
        var caught = await Assert.ThrowsAnyAsync<Exception>(() => RunAsync(breaks, test));

        // What does not come about in time is a failure, too.
        Assert.True(caught is XunitException or TimeoutException, caught.ToString());
    }

    private static async Task RunAsync(Func<ILockStore, ILockStore> change, Func<LockShareContract, Task> test)
    {
        await using var suite = new Suite(change);
        await suite.InitializeAsync();
        await test(suite);
    }

    /// <summary>As an author writes it; no test class of its own, for it is not public.</summary>
    private sealed class Suite(Func<ILockStore, ILockStore> change) : LockShareContract
    {
        private readonly InMemoryLockStore _store = new();

        protected override void UseStore(ICoordinationBuilder builder) => builder.Services.AddSingleton(change(_store));
    }
}
