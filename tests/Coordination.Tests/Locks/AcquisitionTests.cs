using Coordination.Resilience;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.Tests.Leases;

namespace Coordination.Tests.Locks;

public sealed class AcquisitionTests
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G6")]
    [Failure("F3")]
    public async Task A_try_whose_reply_was_lost_gets_the_same_grant_when_it_is_repeated()
    {
        await using var node = new TestNode();
        node.Store.LoseNextReply(StoreOperation.Acquire);
        var trying = node.Provider.GetLock("work").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, LeaseDuration));
        var lease = await trying;
        Assert.NotNull(lease);
        Assert.Equal(2, node.Store.GetCallCount(StoreOperation.Acquire));
        Assert.Equal(lease.FencingToken, (await node.Store.GetHolderAsync("work", Token))!.FencingToken);

        // One entry and not two: one release frees it.
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Token));
        Assert.Null(await node.Store.GetHolderAsync("work", Token));
    }

    [Fact]
    [Failure("F3")]
    public async Task A_grant_that_nobody_can_receive_any_more_is_undone()
    {
        await using var node = new TestNode();

        // The try and its three retries are all applied, and all their replies are lost.
        for (var i = 0; i < 4; i++)
        {
            node.Store.LoseNextReply(StoreOperation.Acquire);
        }

        var trying = node.Provider.GetLock("work").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, LeaseDuration));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => trying)).IsTransient);
        Assert.True(node.AdvanceUntil(() => node.Store.Count == 0, StoreGate.Pace), "The grant was not undone.");
    }

    [Fact]
    [Failure("F3")]
    public async Task A_grant_is_undone_when_the_store_is_back_before_it_would_have_lapsed()
    {
        await using var node = new TestNode();
        using var cancellation = new CancellationTokenSource();
        node.Store.LoseNextReply(StoreOperation.Acquire);
        Task<ILockLease> trying = null!;
        await node.UntilAsleepAsync(() => trying = node.Provider.GetLock("work").AcquireAsync(cancellation.Token));
        node.Store.IsAway = true;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trying);
        node.Advance(TimeSpan.FromSeconds(5));
        node.Store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => node.Store.Count == 0, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    [Failure("F4")]
    public async Task A_repeated_re_entry_counts_once()
    {
        await using var node = new TestNode();
        var owner = node.Provider.CreateOwner();
        var locked = node.Provider.GetLock("work").WithOwner(owner);
        var outer = await locked.AcquireAsync(Token);
        node.Store.LoseNextReply(StoreOperation.Acquire);
        var entering = locked.TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => entering.IsCompleted, LeaseDuration));
        var inner = (await entering)!;
        Assert.Equal(outer.FencingToken, inner.FencingToken);
        Assert.Equal(ReleaseResult.StillHeldByOwner, await inner.ReleaseAsync(Token));
        Assert.Equal(ReleaseResult.Released, await outer.ReleaseAsync(Token));
        Assert.Null(await node.Store.GetHolderAsync("work", Token));
    }

    [Fact]
    [Failure("F6")]
    public async Task Each_grant_has_an_owner_of_its_own()
    {
        await using var node = new TestNode();
        var first = await node.AcquireAsync();
        node.Store.LoseLock("work");
        var second = await node.AcquireAsync();
        Assert.NotEqual(first.Owner, second.Owner);
        Assert.Equal(ReleaseResult.NotHeld, await first.ReleaseAsync(Token));
        Assert.Equal(second.Owner, (await node.Store.GetHolderAsync("work", Token))!.Owner);
    }

    [Fact]
    public async Task A_timeout_is_a_result_or_an_exception_as_the_name_of_the_method_says()
    {
        await using var node = new TestNode();
        await using var held = await node.AcquireAsync();
        var trying = node.Provider.GetLock("work").TryAcquireAsync(TimeSpan.FromSeconds(2), Token);
        var insisting = node.Provider.GetLock("work").AcquireAsync(TimeSpan.FromSeconds(2), Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted && insisting.IsCompleted, TimeSpan.FromSeconds(3)));
        Assert.Null(await trying);
        Assert.Contains("'work'", (await Assert.ThrowsAsync<TimeoutException>(() => insisting)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F91")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_the_time_is_up_and_the_store_was_away_that_is_no_lock_that_another_holds(bool hangs)
    {
        await using var node = new TestNode();
        node.Store.IsAway = !hangs;
        node.Store.Hang = hangs;

        // The second stands behind the first, and never asks by itself.
        var trying = node.Provider.GetLock("work").TryAcquireAsync(TimeSpan.FromSeconds(2), Token);
        var behind = node.Provider.GetLock("work").TryAcquireAsync(TimeSpan.FromSeconds(2), Token);
        var insisting = node.Provider.GetLock("work").AcquireAsync(TimeSpan.FromSeconds(2), Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted && behind.IsCompleted && insisting.IsCompleted, TimeSpan.FromSeconds(3)));

        Assert.All([await FailsAsync(trying), await FailsAsync(behind)], error =>
        {
            Assert.True(error.IsTransient);
            Assert.Contains("'work' could not be asked for, and the time of 00:00:02 is up", error.Message, StringComparison.Ordinal);
            Assert.IsType<LockStoreException>(error.InnerException);
        });
        Assert.True(Assert.IsType<LockStoreException>((await Assert.ThrowsAsync<TimeoutException>(() => insisting)).InnerException).IsTransient);

        static Task<LockStoreException> FailsAsync(Task trying) => Assert.ThrowsAsync<LockStoreException>(() => trying);
    }

    [Fact]
    [Failure("F91")]
    public async Task What_counts_when_the_time_is_up_is_the_last_thing_that_is_known_of_the_lock()
    {
        var clock = new TestClock();
        var shared = new ControllableLockStore(clock);
        await using var node = new TestNode(clock, shared);
        await using var other = new TestNode(clock, shared);
        await using var held = await other.AcquireAsync();

        // The store is away only after it has said that another holds the lock, and nobody asked since.
        var refused = node.Provider.GetLock("work").TryAcquireAsync(TimeSpan.FromSeconds(2), Token);
        node.Advance(TimeSpan.FromSeconds(1));
        shared.IsAway = true;
        Assert.True(node.AdvanceUntil(() => refused.IsCompleted, TimeSpan.FromSeconds(2)));
        Assert.Null(await refused);

        // It is away first, and back before the time is up.
        var waits = node.Provider.GetLock("work").TryAcquireAsync(TimeSpan.FromSeconds(4), Token);
        node.Advance(TimeSpan.FromSeconds(1));
        shared.IsAway = false;
        Assert.True(node.AdvanceUntil(() => waits.IsCompleted, TimeSpan.FromSeconds(5)));
        Assert.Null(await waits);
    }

    [Fact]
    [Failure("F91")]
    public async Task A_reply_that_may_be_about_to_come_says_nothing_of_the_store()
    {
        await using var node = new TestNode();
        node.Store.Hang = true;
        var trying = node.Provider.GetLock("work").TryAcquireAsync(TimeSpan.FromMilliseconds(500), Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(1)));
        Assert.Null(await trying);
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(4294967295)]
    public async Task A_timeout_out_of_range_is_refused(double milliseconds)
    {
        await using var node = new TestNode();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => node.Provider.GetLock("work").TryAcquireAsync(TimeSpan.FromMilliseconds(milliseconds), Token));
    }
}
