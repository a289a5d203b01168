using Coordination.Stores;
using Coordination.TestKit.Waiting;
using Coordination.Tests.Leases;

namespace Coordination.Tests.Waiting;

/// <summary>Calls of one node that wait for locks which several may hold.</summary>
public sealed class SharedWaitTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2, 2)]
    [InlineData(64, 64)]
    [InlineData(65, 64)]
    public async Task A_node_has_as_many_places_as_permits_and_64_at_most(int permits, int places)
    {
        await using var node = new TestNode();
        var share = LockShare.PermitOf(permits);
        for (var i = 0; i < permits; i++)
        {
            await TakeAsync(node, new LockOwner("elsewhere", i), share);
        }

        using var cancelling = new CancellationTokenSource();
        var calls = Enumerable.Range(0, places + 5).Select(_ => node.Provider.GetSemaphore("work", permits).AcquireAsync(cancelling.Token)).ToArray();
        Assert.Equal(places, await CountAsync(node));

        // One is served, and the next of those that stand behind has a place instead.
        await LeaveAsync(node, new LockOwner("elsewhere", 0), share);
        var served = await Task.WhenAny(calls).WaitAsync(Bound, Token);
        Assert.Same(calls[0], served);
        Assert.Equal(0, (await served).Permit);
        await Eventually.IsTrueAsync(async () => await CountAsync(node) == places, Bound, "The next has its place.");

        await cancelling.CancelAsync();
        foreach (var call in calls[1..])
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Bound, Token));
        }

        await Eventually.IsTrueAsync(async () => await CountAsync(node) == 0, Bound, "All have left the queue.");
    }

    [Fact]
    public async Task Readers_have_64_places_and_writers_one()
    {
        await using var node = new TestNode();
        await TakeAsync(node, new LockOwner("elsewhere", 1), LockShare.Write);
        var prices = node.Provider.GetReaderWriterLock("work");
        using var cancelling = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 70).Select(_ => prices.Read.AcquireAsync(cancelling.Token)).ToArray();
        Task[] others = [.. Enumerable.Range(0, 3).SelectMany(_ => new[] { prices.Write.AcquireAsync(cancelling.Token), prices.UpgradeableRead.AcquireAsync(cancelling.Token) })];
        Assert.Equal(66, await CountAsync(node));
        await cancelling.CancelAsync();
        await Task.WhenAll(readers.Concat(others)).ContinueWith(static _ => { }, Token, TaskContinuationOptions.None, TaskScheduler.Default).WaitAsync(Bound, Token);
        await Eventually.IsTrueAsync(async () => await CountAsync(node) == 0, Bound, "All have left the queue.");
    }

    [Fact]
    [Promise("G8", "G9")]
    public async Task A_call_that_gives_up_leaves_its_place_to_the_first_that_stands_behind()
    {
        await using var node = new TestNode();
        var share = LockShare.PermitOf(1);
        await TakeAsync(node, new LockOwner("elsewhere", 1), share);
        using var cancelling = new CancellationTokenSource();
        var cancelled = node.Provider.GetSemaphore("work", 1).AcquireAsync(cancelling.Token);
        var (first, second) = (node.Provider.GetSemaphore("work", 1).AcquireAsync(Token), node.Provider.GetSemaphore("work", 1).AcquireAsync(Token));
        var place = Assert.Single((await InspectAsync(node)).Waiters).Owner;
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Token));
        Assert.Equal(place, Assert.Single((await InspectAsync(node)).Waiters).Owner);

        await LeaveAsync(node, new LockOwner("elsewhere", 1), share);
        var lease = await first.WaitAsync(Bound, Token);
        Assert.Equal(place, lease.Owner);
        Assert.False(second.IsCompleted);
        await lease.DisposeAsync();
        await (await second.WaitAsync(Bound, Token)).DisposeAsync();
        Assert.Equal(0, node.Store.Count);
    }

    [Fact]
    public async Task Calls_for_a_name_in_other_use_all_fail_and_leave_nothing()
    {
        await using var node = new TestNode();
        await using var held = await node.AcquireAsync();
        var calls = Enumerable.Range(0, 5).Select(_ => node.Provider.GetSemaphore("work", 2).AcquireAsync(Token)).ToArray();
        foreach (var call in calls)
        {
            var refused = await Assert.ThrowsAsync<LockStoreException>(() => call.WaitAsync(Bound, Token));
            Assert.Equal((LockCapacity.Exclusive, false), (refused.InUseAs, refused.IsTransient));
        }

        Assert.Equal(0, await CountAsync(node));
        Assert.Equal(LeaseState.Held, held.State);
    }

    private static Task<AcquireReply> TakeAsync(TestNode node, LockOwner owner, LockShare share) =>
        node.Store.AcquireAsync(Requests.Acquire("work", owner, TimeSpan.FromMinutes(10)) with { Share = share }, Token);

    private static Task<ReleaseReply> LeaveAsync(TestNode node, LockOwner owner, LockShare share) =>
        node.Store.ReleaseAsync(Requests.Release("work", owner, TimeSpan.FromMinutes(1)) with { Share = share }, Token);

    private static Task<LockInspection> InspectAsync(TestNode node) => node.Store.InspectAsync("work", 1_000, Token);

    /// <summary>Who waits: those that were served may stand there until they have claimed what they have.</summary>
    private static async Task<int> CountAsync(TestNode node) => (await InspectAsync(node)).Waiters.Count(waiter => waiter.IsAlive);
}
