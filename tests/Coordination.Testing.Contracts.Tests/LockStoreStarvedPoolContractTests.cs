using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing.Contracts.Tests.Broken;
using Xunit.Sdk;

namespace Coordination.Testing.Contracts.Tests;

/// <summary>A store whose renewals need a thread of the pool, of which there is none. It runs alone, as the suite itself does.</summary>
[Collection(nameof(LockStoreStarvedPoolContractTests))]
[CollectionDefinition(nameof(LockStoreStarvedPoolContractTests), DisableParallelization = true)]
public sealed class LockStoreStarvedPoolContractTests
{
    [Fact]
    public async Task A_store_that_needs_a_thread_of_the_pool_to_renew_is_caught()
    {
        await RunAsync(new InMemoryLockStore());
        await Assert.ThrowsAnyAsync<XunitException>(() => RunAsync(new NeedsThePool(new InMemoryLockStore())));
    }

    private static Task RunAsync(ILockStore store) => new Suite(store).A_renewal_completes_on_its_callers_context_with_every_thread_of_the_pool_blocked();

    /// <summary>As an author writes it; no test class of its own, for it is not public.</summary>
    private sealed class Suite(ILockStore store) : LockStoreStarvedPoolContract
    {
        protected override Task WithStoreAsync(Func<ILockStore, Task> test) => test(store);
    }
}
