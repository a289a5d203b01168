using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Locks;

/// <summary>From the grant of a lock to its delivery, whatever comes in between.</summary>
public sealed class DeliveryTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F35")]
    [Promise("G6")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_throws_between_a_grant_and_its_delivery_fails_that_call_with_an_undo(bool waits)
    {
        var store = new InterruptedStore();
        var services = new ServiceCollection().AddSingleton<TimeProvider>(store.Clock);
        services.AddLogging().AddCoordination();
        await using var node = services.AddSingleton<ILockStore>(store).BuildServiceProvider();
        var work = node.GetRequiredService<ILockProvider>().GetLock("work");

        store.Interrupts = true;
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => (waits ? work.AcquireAsync(Cancellation) : work.TryAcquireAsync(Cancellation)!).WaitAsync(Bound, Cancellation));
        Assert.True(SpinWait.SpinUntil(() => store.Releases == 1, Bound), "The grant was not undone.");
        Assert.Null(await store.GetHolderAsync("work", Cancellation));

        // And the next call gets the lock.
        await (await work.AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation)).DisposeAsync();
    }

    [Theory]
    [Failure("F35", "F54")]
    [Promise("G6")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refusal_that_comes_after_the_grant_fails_the_call_and_undoes_the_grant(bool waits)
    {
        var store = new HalfRefusingStore();
        var services = new ServiceCollection().AddLogging();
        services.AddCoordination();
        await using var node = services.AddSingleton<ILockStore>(store).BuildServiceProvider();
        var work = node.GetRequiredService<ILockProvider>().GetLock("work");

        var error = await Assert.ThrowsAsync<LockStoreException>(() => (waits ? work.AcquireAsync(Cancellation) : work.TryAcquireAsync(Cancellation)!).WaitAsync(Bound, Cancellation));
        Assert.False(error.IsTransient);
        Assert.True(SpinWait.SpinUntil(() => store.Released.Task.IsCompleted, Bound), "The grant was not undone.");
        Assert.Null(await store.GetHolderAsync("work", Cancellation));
    }

    /// <summary>Also with a store that goes on in the context of its caller, as one does for the watchdog's sake.</summary>
    [Fact]
    [Failure("F40", "F54")]
    [Promise("G6")]
    public async Task What_was_not_sent_in_its_time_is_not_sent_after_its_undo()
    {
        var clock = new TestClock();
        var store = new ConnectingStore(clock);
        await using var node = new TestNode(clock, actualStore: store);
        var trying = node.Provider.GetLock("work").TryAcquireAsync(Cancellation);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromMinutes(1)));
        await Assert.ThrowsAsync<LockStoreException>(() => trying);
        Assert.True(store.Waiting > 0);

        store.Connected.SetResult();
        Assert.True(SpinWait.SpinUntil(() => store.Waiting == 0, Bound), "A request waits still.");
        Assert.Equal(0, store.Sent);
        Assert.Null(await store.GetHolderAsync("work", Cancellation));
    }

    [Fact]
    [Failure("F39")]
    public async Task A_renewal_by_hand_does_not_need_the_thread_that_waits_for_it()
    {
        var store = new CapturingStore();
        await using var node = new TestNode(actualStore: store);
        var lease = await node.AcquireAsync();
        store.Renewing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var before = SynchronizationContext.Current;
        Task<RenewalResult> renewal;
        try
        {
            // As of a user interface whose one thread blocks on the call.
            SynchronizationContext.SetSynchronizationContext(new BlockedContext());
            renewal = lease.RenewAsync(Cancellation);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        store.Renewing.SetResult();
        Assert.Equal(RenewalResult.Renewed, await renewal.WaitAsync(Bound, Cancellation));
    }

    [Fact]
    [Failure("F39")]
    public async Task A_node_listens_though_the_thread_that_made_it_waits()
    {
        var store = new CapturingStore();
        await using var node = new TestNode(actualStore: store);
        var before = SynchronizationContext.Current;
        Task<ILockLease> acquiring;
        try
        {
            SynchronizationContext.SetSynchronizationContext(new BlockedContext());
            acquiring = node.AcquireAsync();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        await acquiring.WaitAsync(Bound, Cancellation);
        await store.Listening.Task.WaitAsync(Bound, Cancellation);
    }

    [Fact]
    [Failure("F52")]
    public async Task An_owner_of_another_provider_is_refused_with_both_named()
    {
        await using var one = new TestNode();
        await using var other = new TestNode();
        var error = Assert.Throws<ArgumentException>(() => one.Provider.GetLock("work").WithOwner(other.Provider.CreateOwner()));
        Assert.Contains(one.Provider.NodeId, error.Message, StringComparison.Ordinal);
        Assert.Contains(other.Provider.NodeId, error.Message, StringComparison.Ordinal);
        Assert.Contains("CreateOwner", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Step by step, and in one leap, as when the process is paused meanwhile.</summary>
    [Theory]
    [Failure("F54")]
    [Promise("G5")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_release_is_sent_although_the_renewal_before_it_hangs(bool isPaused)
    {
        var clock = new TestClock();
        var store = new SlowRenewals(clock);
        await using var node = new TestNode(clock, actualStore: store);
        var lease = await node.AcquireAsync();
        Assert.True(node.AdvanceUntil(() => store.Renewals > 0, TimeSpan.FromSeconds(6)));

        var release = lease.ReleaseAsync(Cancellation);
        if (isPaused)
        {
            clock.Advance(TimeSpan.FromSeconds(4));
        }
        else
        {
            Assert.True(node.AdvanceUntil(() => release.IsCompleted, TimeSpan.FromSeconds(2)));
        }

        Assert.Equal(ReleaseResult.Released, await release.WaitAsync(Bound, Cancellation));
        Assert.Null(await store.GetHolderAsync("work", Cancellation));
    }

    [Fact]
    [Failure("F54")]
    public async Task A_cancelled_call_throws_with_the_token_of_its_caller()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        using var cancelling = new CancellationTokenSource();
        var work = node.Provider.GetLock("work");
        Task<ILockLease> waiting = null!, bounded = null!;
        await node.UntilAsleepAsync(() => waiting = work.AcquireAsync(cancelling.Token));
        await node.UntilAsleepAsync(() => bounded = node.Provider.GetLock("work", new LockOptions { MaxHold = TimeSpan.FromHours(1) }).AcquireAsync(TimeSpan.FromMinutes(1), cancelling.Token));
        node.Store.Hang = true;
        Task[] calls = [waiting, bounded, lease.RenewAsync(cancelling.Token), work.TryAcquireAsync(cancelling.Token), lease.ReleaseAsync(cancelling.Token)];
        await cancelling.CancelAsync();
        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Bound, Cancellation));
            Assert.Equal(cancelling.Token, error.CancellationToken);
        }

        node.Store.Hang = false;
    }

    /// <summary>Nothing that is posted to it runs.</summary>
    private sealed class BlockedContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    /// <summary>A store whose connection is being made: an acquisition waits for it, and is then sent, unless it was cancelled.</summary>
    private sealed class ConnectingStore(TimeProvider time) : DelegatingLockStore(new Coordination.Stores.InMemory.InMemoryLockStore(time))
    {
        private int _waiting;
        private int _sent;

        public TaskCompletionSource Connected { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Waiting => Volatile.Read(ref _waiting);

        public int Sent => Volatile.Read(ref _sent);

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _waiting);
            try
            {
                await Connected.Task;
                cancellationToken.ThrowIfCancellationRequested();
                Interlocked.Increment(ref _sent);
                return await base.AcquireAsync(request, cancellationToken);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }
    }

    private sealed class CapturingStore() : DelegatingLockStore(new Coordination.Stores.InMemory.InMemoryLockStore())
    {
        public TaskCompletionSource? Renewing { get; set; }

        public TaskCompletionSource Listening { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
        {
            await Task.Yield();
            var subscription = await base.SubscribeAsync(nodeId, handler, cancellationToken).ConfigureAwait(true);
            Listening.SetResult();
            return subscription;
        }

        public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            if (Renewing is not null)
            {
                await Renewing.Task.ConfigureAwait(true);
            }

            return await base.RenewAsync(requests, cancellationToken).ConfigureAwait(true);
        }
    }

    /// <summary>A store that grants a lock and then may not confirm it, as by a WAIT for which it lacks the right.</summary>
    private sealed class HalfRefusingStore() : DelegatingLockStore(new Coordination.Stores.InMemory.InMemoryLockStore())
    {
        public TaskCompletionSource Released { get; } = new();

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            await base.AcquireAsync(request, cancellationToken);
            throw new LockStoreException("No right to wait for replicas.", isTransient: false);
        }

        public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            var reply = await base.ReleaseAsync(request, cancellationToken);
            Released.TrySetResult();
            return reply;
        }
    }

    /// <summary>A store after whose next grant the clock throws, once, as anything may.</summary>
    private sealed class InterruptedStore : DelegatingLockStore
    {
        private int _releases;

        public InterruptedStore()
            : this(new BrokenClock())
        {
        }

        private InterruptedStore(BrokenClock clock)
            : base(new Coordination.Stores.InMemory.InMemoryLockStore()) => Clock = clock;

        public BrokenClock Clock { get; }

        public bool Interrupts { get; set; }

        public int Releases => Volatile.Read(ref _releases);

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            var reply = await base.AcquireAsync(request, cancellationToken);
            if (Interrupts)
            {
                Interrupts = false;
                Clock.Break();
            }

            return reply;
        }

        public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            var reply = await base.ReleaseAsync(request, cancellationToken);
            Interlocked.Increment(ref _releases);
            return reply;
        }
    }

    private sealed class BrokenClock : TimeProvider
    {
        private int _breaks;

        public void Break() => Volatile.Write(ref _breaks, 1);

        public override long GetTimestamp() => Interlocked.Exchange(ref _breaks, 0) == 1 ? throw new InvalidTimeZoneException("The clock is broken.") : base.GetTimestamp();
    }

    /// <summary>Renewals do not return.</summary>
    private sealed class SlowRenewals(TimeProvider time) : DelegatingLockStore(new Coordination.Stores.InMemory.InMemoryLockStore(time))
    {
        private int _renewals;

        public int Renewals => Volatile.Read(ref _renewals);

        public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _renewals);
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
            throw new NotSupportedException();
        }

        public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            await Task.Yield();
            return await base.ReleaseAsync(request, cancellationToken);
        }
    }
}
