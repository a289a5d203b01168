using Coordination.Stores;
using Coordination.Testing.Contracts.Threads;

namespace Coordination.Testing.Contracts;

/// <summary>
/// What every store owes the watchdog's thread, as <see cref="ILockStore.RenewAsync"/> says: a renewal that needs no thread of the pool.
/// The author of a store inherits it in a collection that runs alone, and gives the store.
/// </summary>
/// <remarks>
/// It takes every thread of the pool, so it runs with no other test beside it, and a server of the tests has to be in another process. xunit reads collections
/// from the assembly of the test: define one there with <c>DisableParallelization = true</c>, and name it on the class that inherits this one.
/// </remarks>
public abstract class LockStoreStarvedPoolContract
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>How long the pool stays blocked at most.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    /// <summary>So many that no server has replied before the caller waits for it.</summary>
    private const int RequestCount = 1000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Runs the test with a store, and disposes of it.</summary>
    /// <param name="test">The test.</param>
    protected abstract Task WithStoreAsync(Func<ILockStore, Task> test);

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.
    [Fact]
    [Failure("F17")]
    public Task A_renewal_completes_on_its_callers_context_with_every_thread_of_the_pool_blocked() => WithStoreAsync(async store =>
    {
        var owner = new LockOwner("starved-" + Guid.NewGuid().ToString("N"), 1);
        var lockName = owner.NodeId;
        Assert.True((await store.AcquireAsync(Requests.Acquire(lockName, owner, Lease), Cancellation)).IsGranted);

        // The watchdog's token can be cancelled. The first renewal may have to teach the server its script.
        var requests = Enumerable.Repeat(Requests.Renew(lockName, owner, Lease), RequestCount).ToArray();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<IReadOnlyList<RenewalReply>>? first, second;
        using (new BlockedPool())
        {
            first = SingleThread.Complete(Renew, Bound);
            second = SingleThread.Complete(Renew, Bound);
        }

        AssertRenewed(await NotNull(first));
        AssertRenewed(await NotNull(second));
        await store.ReleaseAsync(Requests.Release(lockName, owner, Lease), Cancellation);

        Task<IReadOnlyList<RenewalReply>> Renew() => store.RenewAsync(requests, deadline.Token);
    });

    private static void AssertRenewed(IReadOnlyList<RenewalReply> replies)
    {
        Assert.Equal(RequestCount, replies.Count);
        Assert.All(replies, reply => Assert.Equal(RenewalReply.Renewed, reply));
    }

    private static T NotNull<T>(T? renewal)
        where T : class
    {
        Assert.True(renewal is not null, "The renewal did not complete on the context that it was called on.");
        return renewal;
    }
}
