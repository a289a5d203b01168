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
        await UntilAsync(node, places);

        // One is served, and the next of those that stand behind has a place instead.
        await LeaveAsync(node, new LockOwner("elsewhere", 0), share);
        var served = await Task.WhenAny(calls).WaitAsync(Bound, Token);
        Assert.Contains(served, calls[..places]);
        Assert.Equal(0, (await served).Permit);
        await UntilAsync(node, places);

        await cancelling.CancelAsync();
        foreach (var call in calls.Except([served]))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Bound, Token));
        }

        await UntilAsync(node, 0);
    }

    [Fact]
    [Promise("G8", "G9")]
    public async Task A_call_that_gives_up_lets_no_call_that_came_later_before_others()
    {
        await using var node = new TestNode();
        var share = LockShare.PermitOf(2);
        await TakeAsync(node, new LockOwner("elsewhere", 1), share);
        await TakeAsync(node, new LockOwner("elsewhere", 2), share);
        using var cancelling = new CancellationTokenSource();
        var semaphore = node.Provider.GetSemaphore("work", 2);
        var first = semaphore.AcquireAsync(cancelling.Token);
        await UntilAsync(node, 1);
        var second = semaphore.AcquireAsync(Token);
        await UntilAsync(node, 2);
        var place = (await InspectAsync(node)).Waiters[1].Owner;
        var third = semaphore.AcquireAsync(Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Bound, Token));

        await Eventually.IsTrueAsync(async () => (await InspectAsync(node)).Waiters is [{ } ahead, _] && ahead.Owner == place, Bound, "the second call is the first, and the third behind it");
        Assert.False(second.IsCompleted || third.IsCompleted);
    }

    [Fact]
    [Promise("G9")]
    public async Task A_call_that_writes_has_a_place_before_those_of_its_node_that_read_later()
    {
        await using var node = new TestNode();
        await TakeAsync(node, new LockOwner("elsewhere", 1), LockShare.Write);
        var prices = node.Provider.GetReaderWriterLock("work");
        using var cancelling = new CancellationTokenSource();
        var waiting = new List<Task>();
        foreach (var wanted in new[] { prices.Write, prices.Write, prices.Read })
        {
            waiting.Add(wanted.AcquireAsync(cancelling.Token));
            await UntilAsync(node, waiting.Count);
        }

        Assert.Equal([LockShare.Write, LockShare.Write, LockShare.Read], (await InspectAsync(node)).Waiters.Select(waiter => waiter.Share));
        await cancelling.CancelAsync();
        await Task.WhenAll(waiting).ContinueWith(static _ => { }, Token, TaskContinuationOptions.None, TaskScheduler.Default).WaitAsync(Bound, Token);
    }

    [Fact]
    public async Task Those_who_read_and_those_who_write_have_64_places_each()
    {
        await using var node = new TestNode();
        await TakeAsync(node, new LockOwner("elsewhere", 1), LockShare.Write);
        var prices = node.Provider.GetReaderWriterLock("work");
        using var cancelling = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 70).Select(_ => prices.Read.AcquireAsync(cancelling.Token)).ToArray();
        Task[] others = [.. Enumerable.Range(0, 3).SelectMany(_ => new[] { prices.Write.AcquireAsync(cancelling.Token), prices.UpgradeableRead.AcquireAsync(cancelling.Token) })];
        await UntilAsync(node, 64 + 3 + 3);
        await cancelling.CancelAsync();
        await Task.WhenAll(readers.Concat(others)).ContinueWith(static _ => { }, Token, TaskContinuationOptions.None, TaskScheduler.Default).WaitAsync(Bound, Token);
        await UntilAsync(node, 0);
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
        await UntilAsync(node, 1);
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
        await Eventually.IsTrueAsync(() => node.Store.Count == 0, Bound, "Nothing is left.");
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

        await UntilAsync(node, 0);
        Assert.Equal(LeaseState.Held, held.State);
    }

    private static Task<AcquireReply> TakeAsync(TestNode node, LockOwner owner, LockShare share) =>
        node.Store.AcquireAsync(Requests.Acquire("work", owner, TimeSpan.FromMinutes(10)) with { Share = share }, Token);

    private static Task<ReleaseReply> LeaveAsync(TestNode node, LockOwner owner, LockShare share) =>
        node.Store.ReleaseAsync(Requests.Release("work", owner, TimeSpan.FromMinutes(1)) with { Share = share }, Token);

    private static Task<LockInspection> InspectAsync(TestNode node) => node.Store.InspectAsync("work", 1_000, Token);

    /// <summary>Until so many of the node wait at the store: those that were served may stand there until they have claimed what they have.</summary>
    private static Task UntilAsync(TestNode node, int places) => Eventually.IsTrueAsync(
        async () => (await InspectAsync(node)).Waiters.Count(waiter => waiter.IsAlive) == places, Bound, $"{places} wait at the store.");
}
