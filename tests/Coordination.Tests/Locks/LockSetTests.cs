using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;

namespace Coordination.Tests.Locks;

/// <summary>Several locks together, on a store that grants them in one step and on one that does not.</summary>
public sealed class LockSetTests
{
    private static readonly string[] Names = ["cy", "ada", "Bob"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_are_granted_in_one_step_in_ordinal_order_and_released_together()
    {
        await using var node = new TestNode();
        var set = await node.Provider.AcquireAllAsync(Names, cancellationToken: Token);
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Acquire));
        Assert.Equal(["Bob", "ada", "cy"], set.Leases.Select(lease => lease.LockName));
        Assert.All(set.Leases, lease => Assert.Equal(LeaseState.Held, lease.State));
        Assert.Equal(set["cy"].FencingToken, (await node.Store.GetHolderAsync("cy", Token))!.FencingToken);
        Assert.Throws<KeyNotFoundException>(() => set["dan"]);
        Assert.Equal(TimeSpan.FromSeconds(12), set.Remaining);

        Assert.Equal([ReleaseResult.Released, ReleaseResult.Released, ReleaseResult.Released], await set.ReleaseAsync(Token));
        Assert.Equal((0, false), (node.Store.Count, set.Lost.IsCancellationRequested));
        await set.DisposeAsync();
    }

    [Theory]
    [Promise("G8")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_try_takes_none_where_one_is_anothers(bool inOneStep)
    {
        await using var node = Start(inOneStep);
        await using var held = await node.AcquireAsync("cy");
        Assert.Null(await node.Provider.TryAcquireAllAsync(Names, new LockOptions { LockAtLeastFor = TimeSpan.FromMinutes(1) }, Token));
        await UntilCountAsync(node, 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_waits_gets_all_of_them_when_the_last_is_free(bool inOneStep)
    {
        await using var node = Start(inOneStep);
        var held = await node.AcquireAsync("ada");
        Task<ILockSetLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.Provider.AcquireAllAsync(Names, TimeSpan.FromMinutes(1), cancellationToken: Token));
        Assert.False(waiting.IsCompleted);
        await held.ReleaseAsync(Token);
        await using var set = await waiting;
        Assert.Equal(3, node.Store.Count);
    }

    [Theory]
    [Promise("G8")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_time_that_is_up_leaves_nothing_behind(bool inOneStep)
    {
        await using var node = Start(inOneStep);
        await using var held = await node.AcquireAsync("cy");
        var waiting = node.Provider.AcquireAllAsync(Names, TimeSpan.FromSeconds(20), cancellationToken: Token);
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(30)));
        Assert.Contains("'Bob' to 'cy', 3 in all, were not granted within 00:00:20", (await Assert.ThrowsAsync<TimeoutException>(() => waiting)).Message, StringComparison.Ordinal);
        await UntilCountAsync(node, 1);
        Assert.Null(await node.Provider.TryAcquireAllAsync(Names, TimeSpan.Zero, cancellationToken: Token));
    }

    [Theory]
    [Promise("G8")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_wait_that_is_cancelled_leaves_nothing_behind(bool inOneStep)
    {
        await using var node = Start(inOneStep);
        await using var held = await node.AcquireAsync("cy");
        using var calling = new CancellationTokenSource();
        Task<ILockSetLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.Provider.AcquireAllAsync(Names, cancellationToken: calling.Token));
        await UntilCountAsync(node, 3);
        await calling.CancelAsync();
        Assert.Equal(calling.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting)).CancellationToken);
        await UntilCountAsync(node, 1);
    }

    [Fact]
    [Promise("G6")]
    public async Task A_grant_of_all_whose_reply_is_lost_is_the_same_when_it_is_asked_for_again()
    {
        await using var node = new TestNode();
        node.Store.LoseNextReply(StoreOperation.Acquire);
        var acquiring = node.Provider.TryAcquireAllAsync(Names, cancellationToken: Token);
        Assert.True(node.AdvanceUntil(() => acquiring.IsCompleted, TimeSpan.FromSeconds(3)));
        await using var set = await acquiring;
        Assert.NotNull(set);
    }

    [Fact]
    [Promise("G6", "G8")]
    public async Task A_grant_of_all_whose_reply_never_comes_is_undone()
    {
        await using var node = new TestNode();
        for (var i = 0; i < 20; i++)
        {
            node.Store.LoseNextReply(StoreOperation.Acquire);
        }

        var acquiring = node.Provider.TryAcquireAllAsync(Names, cancellationToken: Token);
        Assert.True(node.AdvanceUntil(() => acquiring.IsCompleted, TimeSpan.FromSeconds(10)));
        await Assert.ThrowsAsync<LockStoreException>(() => acquiring);
        Assert.True(node.AdvanceUntil(() => node.Store.Count == 0, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    [Promise("G2")]
    public async Task All_are_lost_with_one_of_them()
    {
        await using var node = new TestNode();
        await using var set = await node.Provider.AcquireAllAsync(Names, cancellationToken: Token);
        node.Store.LoseLock("ada");
        Assert.True(node.AdvanceUntil(() => set.Lost.IsCancellationRequested, TimeSpan.FromSeconds(6)));
        Assert.Equal((LeaseLossReason.NotOwner, LeaseState.Held), (set["ada"].LossReason, set["cy"].State));
        Assert.False(set["cy"].Lost.IsCancellationRequested);
        Assert.Equal(TimeSpan.Zero, set.Remaining);
        Assert.Equal([ReleaseResult.Released, ReleaseResult.NotHeld, ReleaseResult.Released], await set.ReleaseAsync(Token));
    }

    /// <summary>As it is for one lock: only callbacks need the pool.</summary>
    [Fact]
    [Promise("G2")]
    public async Task The_loss_of_one_is_seen_at_once_where_it_is_found()
    {
        await using var node = new TestNode();
        await using var set = await node.Provider.AcquireAllAsync(Names, cancellationToken: Token);
        var lease = (await node.Provider.AcquireAllAsync(["dan"], cancellationToken: Token)).Leases[0];
        node.Clock.Advance(TimeSpan.FromSeconds(13));
        Assert.Equal((LeaseState.Lost, LeaseState.Lost), (lease.State, set["ada"].State));
        Assert.True(set.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task One_that_is_lost_while_others_are_waited_for_is_taken_again()
    {
        await using var node = Start(inOneStep: false);
        var held = await node.AcquireAsync("cy");
        Task<ILockSetLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.Provider.AcquireAllAsync(Names, cancellationToken: Token));
        await UntilCountAsync(node, 3);
        node.Store.LoseLock("ada");
        Assert.True(node.AdvanceUntil(() => node.Store.Count == 3, TimeSpan.FromSeconds(10)));
        await held.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(20)));
        await using var set = await waiting;
        Assert.False(set.Lost.IsCancellationRequested);
        Assert.All(set.Leases, lease => Assert.Equal(LeaseState.Held, lease.State));
    }

    /// <summary>There is no work for them yet that could report anything.</summary>
    [Fact]
    public async Task Progress_is_asked_of_the_leases_from_when_all_are_granted()
    {
        await using var node = Start(inOneStep: false);
        var held = await node.AcquireAsync("cy");
        Task<ILockSetLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.Provider.AcquireAllAsync(Names, new LockOptions { ProgressTimeout = TimeSpan.FromSeconds(7) }, Token));
        node.Advance(TimeSpan.FromSeconds(40));
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Id.Id == 1014);
        await held.ReleaseAsync(Token);
        await using var set = await waiting;
        Assert.True(node.AdvanceUntil(() => set.Lost.IsCancellationRequested, TimeSpan.FromSeconds(25)));
        Assert.Equal(LeaseLossReason.NoProgress, set["ada"].LossReason);
    }

    [Fact]
    [Promise("G12")]
    public async Task Who_waits_goes_on_while_the_store_is_away()
    {
        await using var node = new TestNode();
        node.Store.IsAway = true;
        var waiting = node.Provider.AcquireAllAsync(Names, cancellationToken: Token);
        node.Advance(TimeSpan.FromSeconds(20));
        Assert.False(waiting.IsCompleted);
        node.Store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(20)));
        await using var set = await waiting;
        Assert.Equal(3, set.Leases.Count);
    }

    [Theory]
    [Promise("G12")]
    [Failure("F91")]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task When_the_time_is_up_and_the_store_was_away_nobody_knows_who_holds_them(bool inOneStep, bool hangs)
    {
        await using var node = Start(inOneStep);
        (node.Store.IsAway, node.Store.Hang) = (!hangs, hangs);
        var trying = node.Provider.TryAcquireAllAsync(Names, TimeSpan.FromSeconds(2), cancellationToken: Token);
        var insisting = node.Provider.AcquireAllAsync(Names, TimeSpan.FromSeconds(2), cancellationToken: Token);
        Assert.True(AdvanceUntilEnded(node, TimeSpan.FromSeconds(2.5), trying, insisting), "The calls went on after their time.");
        var error = await Assert.ThrowsAsync<LockStoreException>(() => trying);
        Assert.True(error.IsTransient);
        Assert.Contains("The locks 'Bob' to 'cy', 3 in all, could not be asked for, and the time of 00:00:02 is up: ", error.Message, StringComparison.Ordinal);
        Assert.IsType<LockStoreException>(error.InnerException);
        var timeout = await Assert.ThrowsAsync<TimeoutException>(() => insisting);
        Assert.Contains("the time of 00:00:02 is up", timeout.Message, StringComparison.Ordinal);
        Assert.True(Assert.IsType<LockStoreException>(timeout.InnerException).IsTransient);
    }

    [Theory]
    [Failure("F91")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_counts_when_the_time_is_up_is_what_is_known_last_of_the_locks(bool inOneStep)
    {
        await using var node = Start(inOneStep);
        await using var other = new TestNode(node.Clock, node.Store);
        await using var held = await other.AcquireAsync("Bob");
        var refused = node.Provider.TryAcquireAllAsync(Names, TimeSpan.FromSeconds(2), cancellationToken: Token);
        node.Advance(TimeSpan.FromSeconds(1));
        node.Store.IsAway = true;
        Assert.True(AdvanceUntilEnded(node, TimeSpan.FromSeconds(2), refused));
        Assert.Null(await refused);
        var waits = node.Provider.TryAcquireAllAsync(Names, TimeSpan.FromSeconds(4), cancellationToken: Token);
        node.Advance(TimeSpan.FromSeconds(1));
        node.Store.IsAway = false;
        Assert.True(AdvanceUntilEnded(node, TimeSpan.FromSeconds(5), waits));
        Assert.Null(await waits);
    }

    [Fact]
    [Promise("G6", "G8")]
    [Failure("F91")]
    public async Task A_step_without_a_reply_ends_with_the_time_and_what_it_was_granted_is_undone()
    {
        var clock = new TestClock();
        var store = new ControllableLockStore(clock);
        await using var node = new TestNode(clock, store, actualStore: new StepsWithoutReply(store));
        var trying = node.Provider.TryAcquireAllAsync(Names, TimeSpan.FromSeconds(0.5), cancellationToken: Token);
        Assert.Equal(3, store.Count);
        Assert.True(AdvanceUntilEnded(node, TimeSpan.FromSeconds(0.9), trying), "The call went on after its time.");

        // A reply may have been about to come, which says nothing of the store.
        Assert.Null(await trying);
        await UntilCountAsync(node, 0);
    }

    [Theory]
    [Promise("G1", "G8")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_store_that_grants_some_of_them_is_told_of_and_what_it_granted_is_undone(bool repliesForAll)
    {
        var clock = new TestClock();
        var store = new ControllableLockStore(clock);
        await using var node = new TestNode(clock, store, actualStore: new AllButTheLast(store, repliesForAll));
        foreach (var acquire in (Func<Task>[])[() => node.Provider.TryAcquireAllAsync(Names, cancellationToken: Token), () => node.Provider.AcquireAllAsync(Names, cancellationToken: Token)])
        {
            var error = await Assert.ThrowsAsync<LockStoreException>(acquire);
            Assert.False(error.IsTransient);
            Assert.Contains($"granted 2 of 3 locks, 'Bob' to 'cy', in {(repliesForAll ? 3 : 2)} replies", error.Message, StringComparison.Ordinal);
            await UntilCountAsync(node, 0);
        }
    }

    [Fact]
    public async Task Another_use_of_one_of_the_names_is_said()
    {
        await using var node = new TestNode();
        await using var permit = await node.Provider.GetSemaphore("ada", 2).AcquireAsync(Token);
        Assert.NotNull((await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.TryAcquireAllAsync(Names, cancellationToken: Token))).InUseAs);
        await UntilCountAsync(node, 1);
    }

    [Fact]
    public async Task Names_are_refused_with_a_sentence_before_anything_is_asked()
    {
        await using var node = new TestNode();
        await RefusedAsync("No lock is named. Name 1 to 100", []);
        await RefusedAsync("Too many locks are named. Name 1 to 100", Enumerable.Range(0, 101).Select(i => $"lock-{i}"));
        await RefusedAsync("The lock 'ada' is named twice.", ["ada", "bob", "ada"]);
        await RefusedAsync("brace", ["ada", "{bob}"]);
        await Assert.ThrowsAsync<ArgumentNullException>("names", () => node.Provider.AcquireAllAsync(null!, cancellationToken: Token));
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Acquire));
        await using var most = await node.Provider.AcquireAllAsync(Enumerable.Range(0, 100).Select(i => $"lock-{i}"), cancellationToken: Token);
        Assert.Equal(100, node.Store.Count);

        async Task RefusedAsync(string sentence, IEnumerable<string> names) =>
            Assert.Contains(sentence, (await Assert.ThrowsAsync<ArgumentException>(() => node.Provider.AcquireAllAsync(names, cancellationToken: Token))).Message, StringComparison.Ordinal);
    }

    private static TestNode Start(bool inOneStep)
    {
        var clock = new TestClock();
        var store = new ControllableLockStore(clock);
        return new TestNode(clock, store, actualStore: inOneStep ? null : new OneByOne(store));
    }

    private static bool AdvanceUntilEnded(TestNode node, TimeSpan atMost, params Task[] calls) => node.AdvanceUntil(() => Array.TrueForAll(calls, call => call.IsCompleted), atMost);

    private static async Task UntilCountAsync(TestNode node, int count) =>
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => node.Store.Count == count, TimeSpan.FromMinutes(1))), $"{node.Store.Count} locks are held or waited for.");

    /// <summary>As a Redis Cluster for locks of several slots.</summary>
    private sealed class OneByOne(ILockStore inner) : DelegatingLockStore(inner)
    {
        public override Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<AcquireReply>?>(null);
    }

    private sealed class StepsWithoutReply(ILockStore inner) : DelegatingLockStore(inner)
    {
        public override async Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken)
        {
            await base.TryAcquireAllAsync(requests, cancellationToken);
            return await new TaskCompletionSource<IReadOnlyList<AcquireReply>?>().Task.WaitAsync(cancellationToken);
        }
    }

    private sealed class AllButTheLast(ILockStore inner, bool repliesForAll) : DelegatingLockStore(inner)
    {
        public override async Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken)
        {
            var granted = await base.TryAcquireAllAsync([.. requests.SkipLast(1)], cancellationToken);
            return repliesForAll ? [.. granted!, new AcquireReply()] : granted;
        }
    }
}
