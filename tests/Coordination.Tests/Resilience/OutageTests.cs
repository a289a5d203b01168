using System.Collections.Concurrent;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Coordination.TestKit.Waiting;
using Coordination.Tests.Leases;
using Coordination.Time;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Resilience;

/// <summary>What a node asks of a store that is away, and how it goes on when the store is back.</summary>
public sealed class OutageTests
{
    private const int Leases = 200;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G2", "G12")]
    [Failure("F40")]
    [InlineData(1, 1)]
    [InlineData(100, 1)]
    [InlineData(1_000, 1)]
    [InlineData(1_000, 40)]
    public async Task A_store_that_is_away_is_asked_five_times_a_second_at_most_until_it_is_back(int wanted, int shards)
    {
        var clock = new TestClock();
        var store = new CountedStore(new InMemoryLockStore(clock)) { Shards = shards };
        await using var node = new TestNode(clock, actualStore: store);
        var held = new List<ILockLease>();
        for (var i = 0; i < Leases; i++)
        {
            held.Add(await node.AcquireAsync("held" + i));
        }

        // It is away: what waits, what is tried, and the renewals of what is held.
        store.IsAway = true;
        var waiting = Enumerable.Range(0, wanted).Select(i => node.AcquireAsync("wanted" + i)).ToList();
        var tries = new List<Task<ILockLease?>>();
        var asked = new List<int>();
        for (var second = 0; second < 8; second++)
        {
            var before = store.Calls.Count;
            Advance(node, store, TimeSpan.FromSeconds(1), beforeEach: () => tries.Add(node.Provider.GetLock("tried" + (tries.Count % 20)).TryAcquireAsync(Token)));
            asked.Add(store.Calls.Count - before);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{wanted} wanted, {shards} shards: {string.Join(' ', asked)} calls in each second");

        // What was under way when it went away is in the first second. A call may be counted in the next one.
        Assert.InRange(asked.Skip(1).Sum(), asked.Count, 5 * (asked.Count - 1));
        Assert.DoesNotContain(StoreCall.Release, store.Calls);
        Assert.All(held, lease => Assert.NotEqual(LeaseState.Lost, lease.State));

        // It is back.
        store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => waiting.TrueForAll(call => call.IsCompletedSuccessfully) && held.TrueForAll(lease => lease.State == LeaseState.Held), TimeSpan.FromSeconds(1)));
        Assert.True(node.AdvanceUntil(() => tries.TrueForAll(call => call.IsCompleted), TimeSpan.FromSeconds(1)));
    }

    [Fact]
    [Promise("G2")]
    [Failure("F40")]
    public async Task Every_lease_is_lost_on_time_whatever_waits_at_the_gate()
    {
        var clock = new TestClock();
        var store = new CountedStore(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        var lease = await node.AcquireAsync("held");
        store.IsAway = true;
        _ = Enumerable.Range(0, 100).Select(i => node.AcquireAsync("wanted" + i)).ToList();
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(12)));
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
    }

    [Fact]
    [Promise("G8")]
    [Failure("F40")]
    public async Task A_wait_for_a_store_that_is_away_ends_with_token_time_limit_and_node()
    {
        var clock = new TestClock();
        var store = new CountedStore(new InMemoryLockStore(clock)) { IsAway = true };
        await using var node = new TestNode(clock, actualStore: store);
        var waiting = node.AcquireAsync("first");
        Assert.True(SpinWait.SpinUntil(() => !store.Calls.IsEmpty, Bound));
        using var cancellation = new CancellationTokenSource();
        var cancelled = node.Provider.GetLock("second").AcquireAsync(cancellation.Token);
        var once = node.Provider.GetLock("third").TryAcquireAsync(cancellation.Token);
        var limited = node.Provider.GetLock("fourth").TryAcquireAsync(TimeSpan.FromSeconds(1), Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => once.WaitAsync(Bound, Token));
        Assert.True(node.AdvanceUntil(() => limited.IsCompleted, TimeSpan.FromSeconds(2)));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => limited)).IsTransient);
        await node.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Bound, Token));
    }

    /// <summary>As at the end of a test of an application, whose clock nobody moves any more.</summary>
    [Fact]
    [Promise("G10")]
    [Failure("F40")]
    public async Task What_is_released_when_the_store_is_back_waits_for_no_clock()
    {
        var clock = new TestClock();
        var store = new CountedStore(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        var held = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => node.AcquireAsync("held" + i)));
        store.IsAway = true;
        _ = node.AcquireAsync("wanted");
        node.Advance(TimeSpan.FromSeconds(1));
        store.IsAway = false;
        foreach (var lease in held)
        {
            await lease.DisposeAsync().AsTask().WaitAsync(Bound, Token);
        }
    }

    [Fact]
    [Failure("F40")]
    public async Task A_call_that_was_never_sent_is_not_undone_and_one_that_may_have_been_is()
    {
        var clock = new TestClock();
        var store = new CountedStore(new InMemoryLockStore(clock)) { IsAway = true };
        await using var node = new TestNode(clock, actualStore: store);
        var failed = node.Provider.GetLock("work").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => failed.IsCompleted, TimeSpan.FromSeconds(10)));
        Assert.False((await Assert.ThrowsAsync<LockStoreException>(() => failed)).MayBeApplied);

        using var cancellation = new CancellationTokenSource();
        var cancelled = node.Provider.GetLock("other").AcquireAsync(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        node.Advance(TimeSpan.FromSeconds(2));
        Assert.DoesNotContain(StoreCall.Release, store.Calls);

        // The same with a store that does not say so: then all that is known is that nothing is known.
        store.MayBeApplied = true;
        var unknown = node.Provider.GetLock("work").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => unknown.IsCompleted, TimeSpan.FromSeconds(10)));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => unknown)).MayBeApplied);
        Assert.True(node.AdvanceUntil(() => store.Calls.Contains(StoreCall.Release), TimeSpan.FromSeconds(2)));
    }

    /// <summary>As the renewals of a lease of 100 ms do, which have some milliseconds for a reply.</summary>
    [Fact]
    [Promise("G12")]
    [Failure("F40")]
    public async Task The_calls_of_other_locks_that_fail_end_no_try_that_has_time_to_wait()
    {
        await using var node = new TestNode();
        var gate = node.Services.GetRequiredService<StoreGate>();
        gate.Failed(0, StoreCall.Acquisition, node.Clock.Uptime, PartlyAwayStore.Away);
        var trying = node.Provider.GetLock("report").TryAcquireAsync(Token);
        for (var i = 0; i < 10; i++)
        {
            node.Clock.Advance(TimeSpan.FromMilliseconds(20));
            gate.Failed(0, StoreCall.Acquisition, node.Clock.Uptime, PartlyAwayStore.Away);
        }

        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Acquire));
        node.Clock.Advance(StoreGate.Pace);
        Assert.NotNull(await trying.WaitAsync(Bound, Token));
    }

    [Fact]
    [Promise("G12")]
    [Failure("F40")]
    public async Task A_try_that_has_no_turn_was_never_sent_and_fails_with_what_others_have_found()
    {
        var clock = new TestClock();
        var store = new CountedStore(new InMemoryLockStore(clock)) { IsAway = true };
        await using var node = new TestNode(clock, actualStore: store);
        var waiting = Enumerable.Range(0, 100).Select(i => node.AcquireAsync("wanted" + i)).ToList();
        Advance(node, store, TimeSpan.FromSeconds(2));
        var trying = node.Provider.GetLock("tried").TryAcquireAsync(Token);
        Advance(node, store, TimeSpan.FromSeconds(0.7));
        Assert.False(trying.IsCompleted);
        Advance(node, store, TimeSpan.FromSeconds(0.05));
        var error = await Assert.ThrowsAsync<LockStoreException>(() => trying.WaitAsync(Bound, Token));
        Assert.True(error is { MayBeApplied: false, IsTransient: true }, $"{error}");
        Assert.EndsWith("is away; cannot acquire the lock 'tried' now: Away.", error.Message, StringComparison.Ordinal);
        Assert.All(waiting, call => Assert.False(call.IsCompleted));
    }

    [Theory]
    [Failure("F40")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_try_that_fails_or_was_not_sent_has_the_backends_own_exception_inside(bool firstMayBeApplied)
    {
        var clock = new TestClock();
        var own = new IOException("The socket is closed.");
        var store = new CountedStore(new InMemoryLockStore(clock)) { IsAway = true, Own = own, FirstMayBeApplied = firstMayBeApplied };
        await using var node = new TestNode(clock, actualStore: store);
        var tries = Enumerable.Range(0, 50).Select(i => node.Provider.GetLock("tried" + i).TryAcquireAsync(Token)).ToList();
        Assert.True(node.AdvanceUntil(() => tries.TrueForAll(call => call.IsCompleted), TimeSpan.FromSeconds(20)));
        foreach (var call in tries)
        {
            Assert.Same(own, (await Assert.ThrowsAsync<LockStoreException>(() => call)).InnerException);
        }

        Assert.True(store.Calls.Count(call => call == StoreCall.Acquisition) < tries.Count * 4, "Some were not sent.");
    }

    /// <summary>A refusal is a reply, and says nothing of what else may be asked.</summary>
    [Fact]
    [Failure("F40", "F58")]
    public async Task Renewals_that_are_refused_let_no_acquisitions_pass_that_fail()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        await node.AcquireAsync("a held");
        store.Fault = name => name == "a held" ? new LockStoreException("The right is missing.") : PartlyAwayStore.Away;
        var waiting = Enumerable.Range(0, 100).Select(i => node.AcquireAsync("a wanted" + i)).ToList();
        node.Advance(TimeSpan.FromSeconds(2));
        var before = store.Asked;
        node.Advance(TimeSpan.FromSeconds(5));

        // Beside the turns there are the renewals, which have their replies.
        Assert.InRange(store.Asked - before, 5, 6 * 5);
        store.Fault = _ => null;
        Assert.True(node.AdvanceUntil(() => waiting.TrueForAll(call => call.IsCompletedSuccessfully), TimeSpan.FromSeconds(2)));
    }

    /// <summary>Moves the clock, but not ahead of the calls that may pass.</summary>
    /// <param name="node">The node.</param>
    /// <param name="store">Its store.</param>
    /// <param name="time">By how much.</param>
    /// <param name="beforeEach">What is done before each step.</param>
    private static void Advance(TestNode node, CountedStore store, TimeSpan time, Action? beforeEach = null)
    {
        var before = store.Calls.Count;
        for (var passed = Step; passed <= time; passed += Step)
        {
            beforeEach?.Invoke();
            node.Clock.Advance(Step);
            node.Settle();
            Breath.Until(() => store.Calls.Count - before >= (int)(passed / StoreGate.Pace) - 1);
        }
    }

    /// <summary>Counts what it is asked, whatever comes of it.</summary>
    private sealed class CountedStore(ILockStore inner) : DelegatingLockStore(inner)
    {
        public volatile bool IsAway;

        public volatile bool MayBeApplied;

        /// <summary>Whether only the first call of all is one that may be applied.</summary>
        public bool FirstMayBeApplied { get; init; }

        public Exception? Own { get; init; }

        public int Shards { get; init; } = 1;

        public ConcurrentQueue<StoreCall> Calls { get; } = new();

        public override int PartitionOf(string lockName) => ShardOf(lockName);

        public override int ShardOf(string lockName) => lockName.Sum(letter => letter) % Shards;

        public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
            AskAsync(StoreCall.Acquisition, () => base.AcquireAsync(request, cancellationToken));

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
            AskAsync(StoreCall.Renewal, () => base.RenewAsync(requests, cancellationToken));

        public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
            AskAsync(StoreCall.Release, () => base.ReleaseAsync(request, cancellationToken));

        private Task<T> AskAsync<T>(StoreCall call, Func<Task<T>> ask)
        {
            Calls.Enqueue(call);
            var mayBeApplied = MayBeApplied || (FirstMayBeApplied && Calls.Count == 1);
            return IsAway ? Task.FromException<T>(new LockStoreException("Away.", isTransient: true, Own) { MayBeApplied = mayBeApplied }) : ask();
        }
    }
}
