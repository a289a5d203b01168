using System.Runtime.CompilerServices;
using Coordination.Leases;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;

namespace Coordination.Tests.Leases;

public sealed class WatchdogTests
{
    [Fact]
    [Failure("F89")]
    public async Task A_loss_says_that_the_store_confirmed_no_renewal()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.FailRenewals = true;
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(13)));
        node.Settle();

        var line = Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1004);
        Assert.Contains("DeadlinePassed, for the store confirmed no renewal for 00:00:12", line.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F89")]
    [InlineData(20)]
    [InlineData(11)]
    public async Task A_loss_says_that_this_process_did_not_run(int seconds)
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Settle();

        // All of it in one step, as for a process that is stopped. Where it wakes before the deadline, no reply comes in the time that is left.
        node.Store.Hang = true;
        node.Clock.Advance(TimeSpan.FromSeconds(seconds));
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(2)));
        node.Settle();

        var line = Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1004);
        Assert.Contains("this process did not run for ", line.Message, StringComparison.Ordinal);
    }

    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UntilDeadline = TimeSpan.FromSeconds(12);

    [Fact]
    public async Task A_lease_is_renewed_for_as_long_as_it_is_held()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(LeaseDuration * 10);
        Assert.Equal(LeaseState.Held, lease.State);
        Assert.InRange(node.Store.GetCallCount(StoreOperation.Renew), 29, 31);
    }

    [Fact]
    public async Task Leases_of_different_durations_are_each_renewed_in_time()
    {
        await using var node = new TestNode();
        var longest = await node.AcquireAsync("long", new LockOptions { LeaseDuration = TimeSpan.FromMinutes(1) });
        var lasting = await node.AcquireAsync("lasting");
        var brief = await node.AcquireAsync("brief", new LockOptions { LeaseDuration = TimeSpan.FromSeconds(1) });
        node.Advance(LeaseDuration * 2);
        Assert.All([brief, lasting, longest], lease => Assert.False(lease.Lost.IsCancellationRequested));
    }

    [Fact]
    [Failure("F10", "F18")]
    public async Task A_lock_that_the_store_lost_is_lost_at_the_next_renewal_and_not_made_again()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        Assert.True(node.Store.LoseLock("work"));
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, RenewalInterval));
        Assert.Equal(LeaseLossReason.NotOwner, lease.LossReason);
        Assert.Null(await node.Store.GetHolderAsync("work", TestContext.Current.CancellationToken));
    }

    [Fact]
    [Failure("F10")]
    public async Task A_lock_that_another_owner_holds_by_now_is_not_extended_for_it()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        var stranger = node.Store.GrantTo("work", "stranger");
        var before = await node.Store.GetHolderAsync("work", TestContext.Current.CancellationToken);
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, RenewalInterval));
        var after = await node.Store.GetHolderAsync("work", TestContext.Current.CancellationToken);
        Assert.Equal(stranger, after!.Owner);
        Assert.True(after.TimeToLive < before!.TimeToLive);
        Assert.Equal(ReleaseResult.NotHeld, await lease.ReleaseAsync(TestContext.Current.CancellationToken));
        Assert.Equal(stranger, (await node.Store.GetHolderAsync("work", TestContext.Current.CancellationToken))!.Owner);
    }

    [Fact]
    [Promise("G12")]
    [Failure("F11")]
    public async Task Failing_renewals_put_the_lease_in_doubt_and_are_tried_until_the_deadline()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.FailRenewals = true;
        Assert.True(node.AdvanceUntil(() => lease.State == LeaseState.InDoubt, RenewalInterval + TimeSpan.FromSeconds(1)));
        Assert.False(lease.Lost.IsCancellationRequested);
        node.Advance(UntilDeadline - RenewalInterval - TimeSpan.FromSeconds(2));
        Assert.Equal(LeaseState.InDoubt, lease.State);
        Assert.InRange(node.Store.GetCallCount(StoreOperation.Renew), 5, 100);
        node.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
    }

    [Fact]
    [Failure("F11")]
    public async Task A_renewal_that_succeeds_again_before_the_deadline_saves_the_lease()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.FailRenewals = true;
        node.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(LeaseState.InDoubt, lease.State);
        node.Store.FailRenewals = false;
        Assert.True(node.AdvanceUntil(() => lease.State == LeaseState.Held, TimeSpan.FromSeconds(1)));
        node.Advance(LeaseDuration);
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    [Failure("F13")]
    public async Task A_call_that_hangs_holds_up_no_deadline()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.Hang = true;
        node.Advance(UntilDeadline - TimeSpan.FromMilliseconds(10));
        Assert.False(lease.Lost.IsCancellationRequested);
        node.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
    }

    [Fact]
    [Failure("F14")]
    public async Task After_a_pause_the_loss_comes_before_any_renewal()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Settle();
        node.Clock.Advance(LeaseDuration * 2);
        node.Settle();
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Renew));
    }

    [Fact]
    [Failure("F15")]
    public async Task Leases_are_renewed_in_batches_and_a_batch_that_fails_costs_the_others_nothing()
    {
        var clock = new TestClock();
        var store = new OneBadBatch(new InMemoryLockStore(clock), "bad");
        await using var node = new TestNode(clock, actualStore: store);
        var leases = new List<ILockLease>();
        for (var i = 0; i < 250; i++)
        {
            leases.Add(await node.AcquireAsync(i == 120 ? "bad" : $"good-{i}"));
        }

        node.Settle();
        node.Advance(LeaseDuration * 2);
        var lost = leases.Count(lease => lease.State == LeaseState.Lost);
        Assert.InRange(lost, 1, Watchdog.BatchSize);
        Assert.True(store.LargestBatch <= Watchdog.BatchSize);

        // What is left of the bad batch, once the lease that spoils it is lost, is renewed on.
        Assert.Contains(leases, lease => lease.LockName == "bad" && lease.State == LeaseState.Lost);
        node.Advance(LeaseDuration * 2);
        Assert.Equal(lost, leases.Count(lease => lease.State == LeaseState.Lost));
        GC.KeepAlive(leases);
    }

    [Fact]
    [Failure("F15")]
    public async Task A_short_lease_does_not_limit_the_calls_of_a_long_one()
    {
        await using var node = new TestNode();

        // Renewed every second, so both are due at the same moment.
        var brief = await node.AcquireAsync("brief", new LockOptions { LeaseDuration = TimeSpan.FromSeconds(3) });
        var lasting = await node.AcquireAsync("lasting");
        node.Advance(RenewalInterval - TimeSpan.FromMilliseconds(20));

        // Longer than a call for the brief one may take, and shorter than one for the lasting one may.
        node.Store.Hang = true;
        node.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(LeaseState.Lost, brief.State);
        Assert.Equal(LeaseState.Held, lasting.State);
        node.Store.Hang = false;
        node.Advance(LeaseDuration);
        Assert.Equal(LeaseState.Held, lasting.State);
    }

    [Fact]
    [Failure("F15")]
    public async Task A_part_of_the_store_that_is_away_costs_the_leases_of_the_others_nothing()
    {
        var clock = new TestClock();
        await using var node = new TestNode(clock, actualStore: new StoreOfTwoParts(new InMemoryLockStore(clock), "away"));
        var away = await node.AcquireAsync("away");
        var there = await node.AcquireAsync("there");
        node.Settle();
        node.Advance(LeaseDuration);
        Assert.Equal(LeaseState.Lost, away.State);
        Assert.Equal(LeaseState.Held, there.State);
    }

    [Fact]
    [Failure("F31")]
    public async Task Leases_that_turn_out_to_be_of_several_partitions_are_renewed_apart_from_then_on()
    {
        var clock = new TestClock();
        var store = new StoreThatLearns(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        ILockLease[] leases = [await node.AcquireAsync("a1"), await node.AcquireAsync("b1"), await node.AcquireAsync("a2"), await node.AcquireAsync("c1")];
        node.Settle();
        node.Advance(LeaseDuration * 2);
        Assert.True(store.HasLearned);
        Assert.Equal(0, store.MixedBatches);
        Assert.All(leases, lease => Assert.Equal(LeaseState.Held, lease.State));
    }

    [Fact]
    [Promise("G2")]
    public async Task A_lease_that_is_granted_while_the_provider_is_disposed_is_lost()
    {
        var node = new TestNode();
        var watchdog = node.Watchdog;
        var lease = await node.AcquireAsync();
        node.Store.Hang = true;
        node.Clock.Advance(RenewalInterval);
        Assert.True(SpinWait.SpinUntil(() => node.Store.GetCallCount(StoreOperation.Renew) == 1, TimeSpan.FromMinutes(1)));
        watchdog.Dispose();
        Assert.Equal(LeaseLossReason.ProviderDisposed, lease.LossReason);

        // The renewal that was under way ends all the same, so that a release does not wait for it in vain.
        node.Store.Hang = false;
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(TestContext.Current.CancellationToken));
        var late = await node.AcquireAsync();
        Assert.Equal(LeaseLossReason.ProviderDisposed, late.LossReason);
        await node.DisposeAsync();
    }

    [Fact]
    [Failure("F16")]
    public async Task A_lease_that_was_collected_without_a_release_is_not_renewed_for_ever()
    {
        await using var node = new TestNode();
        var lost = await AcquireAndForgetAsync(node);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.True(node.AdvanceUntil(() => lost.IsCancellationRequested, LeaseDuration));
        node.Advance(LeaseDuration);
        Assert.Null(await node.Store.GetHolderAsync("work", TestContext.Current.CancellationToken));
    }

    [Fact]
    [Failure("F16")]
    public async Task A_lease_that_was_released_is_not_renewed_any_more()
    {
        await using var node = new TestNode();
        for (var i = 0; i < 100; i++)
        {
            var lease = await node.AcquireAsync();
            Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(TestContext.Current.CancellationToken));
        }

        node.Advance(LeaseDuration);
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Renew));
    }

    [Fact]
    public async Task A_lease_is_lost_when_its_provider_is_disposed()
    {
        var node = new TestNode();
        var lease = await node.AcquireAsync();
        await node.DisposeAsync();
        Assert.Equal(LeaseLossReason.ProviderDisposed, lease.LossReason);
        Assert.True(lease.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => node.AcquireAsync());
    }

    /// <summary>The thread would keep the watchdog, and all that it knows.</summary>
    [Fact]
    public async Task A_watchdog_that_was_disposed_ends_its_thread()
    {
        var watchdog = await UseAndDisposeAsync();

        // Whoever completed the disposal may go on here, with what it knows on its stack.
        await Task.Yield();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !watchdog.IsAlive;
            },
            TimeSpan.FromSeconds(10)));
    }

    // Methods of their own, so that no local of a test keeps alive what is looked at.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<CancellationToken> AcquireAndForgetAsync(TestNode node) => (await node.AcquireAsync()).Lost;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> UseAndDisposeAsync()
    {
        var node = new TestNode();
        await (await node.AcquireAsync()).DisposeAsync();
        var watchdog = new WeakReference(node.Watchdog);
        await node.DisposeAsync();
        return watchdog;
    }

    /// <summary>A store that throws what no store should, for each batch with a certain lock in it.</summary>
    private sealed class OneBadBatch(ILockStore inner, string badLock) : DelegatingLockStore(inner)
    {
        public int LargestBatch { get; private set; }

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            LargestBatch = Math.Max(LargestBatch, requests.Count);
            return requests.Any(request => request.LockName == badLock)
                ? throw new InvalidOperationException("A fault of the store.")
                : base.RenewAsync(requests, cancellationToken);
        }
    }

    /// <summary>A store of which one part does not reply to renewals.</summary>
    private sealed class StoreOfTwoParts(ILockStore inner, string lockAway) : DelegatingLockStore(inner)
    {
        public override int PartitionOf(string lockName) => lockName == lockAway ? 1 : 0;

        public override int ShardOf(string lockName) => PartitionOf(lockName);

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
            requests.Any(request => request.LockName == lockAway)
                ? throw new LockStoreException("This part is away.", isTransient: true)
                : base.RenewAsync(requests, cancellationToken);
    }

    /// <summary>A store that learns of its partitions, which its locks' first letters are, by the first renewal that is sent to it.</summary>
    private sealed class StoreThatLearns(ILockStore inner) : DelegatingLockStore(inner)
    {
        public bool HasLearned { get; private set; }

        /// <summary>How many renewals were for locks of several partitions when it told them apart.</summary>
        public int MixedBatches { get; private set; }

        public override int PartitionOf(string lockName) => HasLearned ? lockName[0] : 0;

        public override int ShardOf(string lockName) => PartitionOf(lockName);

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            if (!HasLearned)
            {
                HasLearned = true;
                throw new LockStoreException("These are of several partitions.", isTransient: true);
            }

            if (requests.DistinctBy(request => PartitionOf(request.LockName)).Count() > 1)
            {
                MixedBatches++;
                throw new ArgumentException("These are of several partitions.", nameof(requests));
            }

            return base.RenewAsync(requests, cancellationToken);
        }
    }
}
