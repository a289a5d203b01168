using System.Runtime.CompilerServices;
using Coordination.Testing;
using Coordination.TestKit.Nodes;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Locks;

/// <summary>What code that was written for DistributedLock sees of a store that is away, and of handles that nobody has any more.</summary>
public sealed class StoreAwayTests : IAsyncDisposable
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly ClockedNode _node = new(configure: services => services.AddCoordination().AddDistributedLockProvider());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IDistributedLock Lock => _node.Services.GetRequiredService<IDistributedLockProvider>().CreateLock("work");

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_single_try_says_that_the_store_could_not_be_asked()
    {
        _node.Store.IsAway = true;
        Task blocking = Task.CompletedTask;
        await _node.UntilAsleepAsync(() => blocking = Task.Run(() => Lock.TryAcquire(cancellationToken: Cancellation), Cancellation));
        foreach (var attempt in (Task[])[blocking, Lock.TryAcquireAsync(cancellationToken: Cancellation).AsTask(), Lock.AcquireAsync(TimeSpan.Zero, Cancellation).AsTask()])
        {
            Assert.True(_node.AdvanceUntil(() => attempt.IsCompleted, LeaseDuration));
            Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => attempt)).IsTransient);
        }
    }

    [Fact]
    [Promise("G12")]
    [Failure("F91")]
    public async Task A_wait_goes_on_until_its_time_is_up_or_the_store_is_back()
    {
        _node.Store.IsAway = true;
        var (tries, acquires) = (Lock.TryAcquireAsync(TimeSpan.FromSeconds(3), Cancellation).AsTask(), Lock.AcquireAsync(TimeSpan.FromSeconds(3), Cancellation).AsTask());
        var waits = Lock.AcquireAsync(cancellationToken: Cancellation).AsTask();
        Assert.True(_node.AdvanceUntil(() => tries.IsCompleted && acquires.IsCompleted, TimeSpan.FromSeconds(5)));
        Assert.Null(await tries);
        Assert.IsType<LockStoreException>((await Assert.ThrowsAsync<TimeoutException>(() => acquires)).InnerException);

        Assert.False(waits.IsCompleted);
        _node.Store.IsAway = false;
        Assert.True(_node.AdvanceUntil(() => waits.IsCompleted, TimeSpan.FromSeconds(5)));
        await (await waits).DisposeAsync();
        Assert.Null(await _node.Store.GetHolderAsync("work", Cancellation));
    }

    [Fact]
    [Failure("F28")]
    public async Task Disposing_a_handle_does_not_throw_and_gives_up_after_the_release_timeout()
    {
        var handle = await Lock.AcquireAsync(cancellationToken: Cancellation);
        _node.Store.IsAway = true;
        var disposal = Task.CompletedTask;
        await _node.UntilAsleepAsync(() => disposal = Task.Run(handle.Dispose, Cancellation));
        Assert.True(_node.AdvanceUntil(() => disposal.IsCompleted, TimeSpan.FromSeconds(4)));
        await disposal;
        _node.Store.IsAway = false;
        Assert.NotNull(await _node.Store.GetHolderAsync("work", Cancellation));
        _node.Advance(LeaseDuration);
        Assert.Null(await _node.Store.GetHolderAsync("work", Cancellation));
    }

    [Fact]
    public async Task Whoever_disposes_a_handle_second_waits_for_the_same_release()
    {
        var handle = await Lock.AcquireAsync(cancellationToken: Cancellation);
        _node.Store.Hang = true;
        var (first, second) = (handle.DisposeAsync().AsTask(), handle.DisposeAsync().AsTask());
        Assert.False(first.IsCompleted || second.IsCompleted);
        _node.Store.Hang = false;
        await Task.WhenAll(first, second).WaitAsync(Bound, Cancellation);
        Assert.Equal(1, _node.Store.GetCallCount(StoreOperation.Release));
    }

    [Fact]
    [Promise("G2")]
    public async Task HandleLostToken_is_cancelled_before_the_store_can_grant_the_lock_to_another()
    {
        var handle = await Lock.AcquireAsync(cancellationToken: Cancellation);
        _node.Store.FailRenewals = true;
        Assert.True(_node.AdvanceUntil(() => handle.HandleLostToken.IsCancellationRequested, LeaseDuration));
        Assert.NotNull(await _node.Store.GetHolderAsync("work", Cancellation));
        await handle.DisposeAsync().AsTask().WaitAsync(Bound, Cancellation);
    }

    [Fact]
    [Failure("F16")]
    public async Task The_lock_of_a_handle_that_was_collected_is_free_within_the_lease_duration()
    {
        var lost = await AcquireAndForgetAsync();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _node.Advance(LeaseDuration + TimeSpan.FromMilliseconds(20));
        Assert.True(lost.IsCancellationRequested);
        await using var next = await Lock.TryAcquireAsync(cancellationToken: Cancellation);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task After_its_provider_was_disposed_a_lock_throws_and_a_handle_is_lost()
    {
        var @lock = Lock;
        var handle = await @lock.AcquireAsync(cancellationToken: Cancellation);
        await _node.DisposeAsync();
        Assert.True(handle.HandleLostToken.IsCancellationRequested);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => @lock.TryAcquireAsync(cancellationToken: Cancellation).AsTask());
        Assert.Throws<ObjectDisposedException>(() => @lock.Acquire(cancellationToken: Cancellation));
        await handle.DisposeAsync();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<CancellationToken> AcquireAndForgetAsync() => (await Lock.AcquireAsync(cancellationToken: Cancellation)).HandleLostToken;
}
