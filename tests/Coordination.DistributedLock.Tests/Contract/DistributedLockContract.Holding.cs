using System.Runtime.CompilerServices;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Stores;
using Coordination.TestKit.Waiting;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordination.DistributedLock.Tests.Contract;

/// <content>Handles: disposal, loss, and being forgotten.</content>
public abstract partial class DistributedLockContract
{
    [Fact]
    [Promise("G5")]
    public async Task A_handle_can_be_disposed_as_often_as_you_like_and_releases_its_own_lease_only()
    {
        var handle = await AcquireAsync(Mine);
        await BlockAsync(handle.Dispose);
        var next = await AcquireAsync(Theirs);
        await BlockAsync(handle.Dispose);
        await handle.DisposeAsync();
        Assert.Null(await Mine.TryAcquireAsync(cancellationToken: Cancellation));
        Assert.Equal(LeaseState.Held, next.GetLease()!.State);
        await next.DisposeAsync();
        await BlockAsync(next.Dispose);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_handle_that_many_threads_dispose_is_released_when_the_first_of_them_goes_on()
    {
        for (var i = 0; i < 20; i++)
        {
            var handle = await AcquireAsync(Mine);
            await Parallel.ForEachAsync(
                Enumerable.Range(0, 8),
                AtOnce(8),
                async (caller, _) =>
                {
                    if (caller % 2 == 0)
                    {
                        handle.Dispose();
                    }
                    else
                    {
                        await handle.DisposeAsync();
                    }

                    // Whoever came second has waited for the same release.
                    Assert.NotEqual(handle.GetLease()!.Owner, (await Second.Administration.GetHolderAsync(Name, Cancellation))?.Owner);
                }).WaitAsync(Bound, Cancellation);
        }

        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task HandleLostToken_is_not_cancelled_by_a_release_and_cannot_be_read_after_it()
    {
        var handle = await AcquireAsync(Mine);
        var lost = handle.HandleLostToken;
        Assert.True(lost.CanBeCanceled);
        Assert.Equal(lost, handle.HandleLostToken);
        await handle.DisposeAsync();
        Assert.False(lost.IsCancellationRequested);
        Assert.Throws<ObjectDisposedException>(() => handle.HandleLostToken);

        var other = await AcquireAsync(Mine);
        await BlockAsync(other.Dispose);
        Assert.Throws<ObjectDisposedException>(() => other.HandleLostToken);
    }

    [Fact]
    [Failure("F18")]
    public async Task HandleLostToken_is_cancelled_by_a_loss_and_disposal_leaves_the_next_holder_alone()
    {
        var node = StartNode(renewalInterval: TimeSpan.FromSeconds(2));
        var handle = await AcquireAsync(LocksOf(node).CreateLock(Name));
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = handle.HandleLostToken.Register(told.SetResult);
        await LoseAllDataAsync();
        await told.Task.WaitAsync(Bound, Cancellation);

        // A token that is asked for only now is cancelled already.
        Assert.True(handle.HandleLostToken.IsCancellationRequested);
        Assert.Equal(LeaseLossReason.NotOwner, handle.GetLease()!.LossReason);
        await using var next = await AcquireAsync(Theirs);
        await BlockAsync(handle.Dispose);
        await handle.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => handle.HandleLostToken);
        Assert.Equal(next.GetLease()!.Owner, (await Second.Administration.GetHolderAsync(Name, Cancellation))?.Owner);
    }

    [Fact]
    public async Task A_handle_can_be_disposed_by_what_is_told_of_its_loss()
    {
        var node = StartNode(renewalInterval: TimeSpan.FromSeconds(2));
        var handle = await AcquireAsync(LocksOf(node).CreateLock(Name));
        var disposed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = handle.HandleLostToken.Register(() =>
        {
            handle.Dispose();
            disposed.SetResult();
        });
        await LoseAllDataAsync();
        await disposed.Task.WaitAsync(Bound, Cancellation);

        // The watchdog was not held up by it: it goes on renewing.
        await using var next = await AcquireAsync(LocksOf(node).CreateLock(Name));
        var seen = TimeSpan.MaxValue;
        await Eventually.IsTrueAsync(() => seen < (seen = next.GetLease()!.Remaining), Bound, "The lease is renewed.");
    }

    [Fact]
    [Failure("F16")]
    public async Task A_handle_that_was_collected_without_disposal_does_not_keep_its_lock()
    {
        var node = StartNode(lease: TimeSpan.FromSeconds(1));
        await AcquireAndForgetAsync(node);
        await Eventually.IsTrueAsync(
            async () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                await using var next = await Theirs.TryAcquireAsync(cancellationToken: Cancellation);
                return next is not null;
            },
            Bound,
            "The lock that nobody holds any more is free.");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task AcquireAndForgetAsync(Node node) => await AcquireAsync(LocksOf(node).CreateLock(Name));

    [Fact]
    [Promise("G3")]
    public async Task The_fencing_token_of_a_handle_grows_with_each_grant()
    {
        long last = 0;
        for (var i = 0; i < 3; i++)
        {
            await using var handle = await AcquireAsync(i % 2 == 0 ? Mine : Theirs);
            var lease = handle.GetLease();
            Assert.Equal((Name, LeaseState.Held), (lease?.LockName, lease?.State));
            Assert.True(lease!.FencingToken > last);
            last = lease.FencingToken;
        }
    }

    [Fact]
    public async Task Options_are_chosen_by_the_name_that_the_lock_was_created_with()
    {
        var node = StartNode(lockOptions: name => name == Name ? new LockOptions { MaxHold = TimeSpan.FromMilliseconds(100), LeaseDuration = TimeSpan.FromSeconds(5) } : null);
        await using var limited = await AcquireAsync(LocksOf(node).CreateLock(Name));
        await using var other = await AcquireAsync(LocksOf(node).CreateLock(Name + "-other"));
        await Eventually.IsTrueAsync(() => limited.HandleLostToken.IsCancellationRequested, Bound);
        Assert.Equal(LeaseLossReason.MaxHoldReached, limited.GetLease()!.LossReason);
        Assert.True(other.GetLease()!.Remaining > LongTime / 2);
    }

    [Fact]
    public async Task A_single_thread_that_has_a_context_or_a_scheduler_of_its_own_can_block()
    {
        // A store that goes on where it was called would wait for the thread that waits for it.
        var node = StartNode(change: builder => builder.Services.Replace(ServiceDescriptor.Singleton<ILockStore>(new StoreOfTheCaller(Second.Store))));
        var @lock = LocksOf(node).CreateLock(Name);
        var context = new UnattendedContext();
        await BlockAsync(() =>
        {
            SynchronizationContext.SetSynchronizationContext(context);
            UseByBlocking(@lock);
            Assert.Same(context, SynchronizationContext.Current);
            Assert.Throws<OperationCanceledException>(() => @lock.Acquire(cancellationToken: new CancellationToken(canceled: true)));
            Assert.Same(context, SynchronizationContext.Current);
        });
        Assert.Equal(0, context.Posts);
        await Task.Factory.StartNew(() => UseByBlocking(Mine), Cancellation, TaskCreationOptions.None, new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler).WaitAsync(Bound, Cancellation);
    }

    private static void UseByBlocking(IDistributedLock @lock)
    {
        using (@lock.Acquire(Bound, Cancellation))
        {
            Assert.Null(@lock.TryAcquire(Moment, Cancellation));
        }

        // Whoever gave up may be leaving the queue still.
        @lock.TryAcquire(Bound, Cancellation)!.Dispose();
    }

    /// <summary>A store that captures the caller's context, and goes on there.</summary>
    private sealed class StoreOfTheCaller(ILockStore store) : DelegatingLockStore(store)
    {
        protected override async Task<T> CallAsync<T>(Func<Task<T>> ask)
        {
            await Task.Yield();
            return await ask();
        }
    }

    /// <summary>The context of a thread that comes to nothing that is posted to it.</summary>
    private sealed class UnattendedContext : SynchronizationContext
    {
        private int _posts;

        public int Posts => Volatile.Read(ref _posts);

        public override void Post(SendOrPostCallback d, object? state) => Interlocked.Increment(ref _posts);
    }
}
