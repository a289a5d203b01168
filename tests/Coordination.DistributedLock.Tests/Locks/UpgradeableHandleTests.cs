using System.Runtime.CompilerServices;
using Coordination.DistributedLock.Locks;
using Coordination.TestKit.Nodes;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Locks;

/// <summary>What becomes of a handle that was upgraded with the store away, and when nobody has it any more.</summary>
public sealed class UpgradeableHandleTests : IAsyncDisposable
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly ClockedNode _node = new(configure: services => services.AddCoordination().AddDistributedLockProvider());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IDistributedUpgradeableReaderWriterLock Lock =>
        _node.Services.GetRequiredService<IDistributedUpgradeableReaderWriterLockProvider>().CreateUpgradeableReaderWriterLock("work");

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    [Failure("F28")]
    public async Task Disposal_gives_up_on_both_leases_after_one_release_timeout()
    {
        var handle = await AcquireAsync();
        await handle.UpgradeToWriteLockAsync(cancellationToken: Cancellation);
        _node.Store.IsAway = true;
        var disposal = handle.DisposeAsync().AsTask();
        Assert.True(_node.AdvanceUntil(() => disposal.IsCompleted, TimeSpan.FromSeconds(4)));
        await disposal;
        _node.Store.IsAway = false;
        Assert.Equal(2, (await _node.Store.InspectAsync("work", 0, Cancellation)).Holders.Count);
        _node.Advance(LeaseDuration);
        Assert.Null(await _node.Store.GetHolderAsync("work", Cancellation));
    }

    [Fact]
    [Failure("F91")]
    public async Task With_the_store_away_an_upgrade_waits_for_its_time_and_a_single_try_says_so()
    {
        await using var handle = await AcquireAsync();
        _node.Store.IsAway = true;
        var single = handle.TryUpgradeToWriteLockAsync(cancellationToken: Cancellation).AsTask();
        Assert.True(_node.AdvanceUntil(() => single.IsCompleted, LeaseDuration));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => single)).IsTransient);

        var tries = handle.TryUpgradeToWriteLockAsync(TimeSpan.FromSeconds(1), Cancellation).AsTask();
        Assert.True(_node.AdvanceUntil(() => tries.IsCompleted, TimeSpan.FromSeconds(2)));
        Assert.False(await tries);
        var upgrades = handle.UpgradeToWriteLockAsync(TimeSpan.FromSeconds(1), Cancellation).AsTask();
        Assert.True(_node.AdvanceUntil(() => upgrades.IsCompleted, TimeSpan.FromSeconds(2)));
        Assert.IsType<LockStoreException>((await Assert.ThrowsAsync<TimeoutException>(() => upgrades)).InnerException);
        _node.Store.IsAway = false;
    }

    [Fact]
    [Failure("F16")]
    public async Task The_lock_of_a_handle_that_was_collected_is_free_within_the_lease_duration()
    {
        var lost = await UpgradeAndForgetAsync();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _node.Advance(LeaseDuration + TimeSpan.FromMilliseconds(20));
        Assert.True(_node.AdvanceUntil(() => lost.IsCancellationRequested, TimeSpan.Zero));
        await using var next = await Lock.TryAcquireWriteLockAsync(cancellationToken: Cancellation);
        Assert.NotNull(next);
    }

    [Fact]
    [Failure("F18")]
    public async Task What_is_told_of_a_write_that_is_lost_at_once_can_dispose_the_handle()
    {
        var write = await _node.AcquireAsync("write");
        _node.Store.LoseLock("write");
        Assert.True(_node.AdvanceUntil(() => write.Lost.IsCancellationRequested, LeaseDuration));
        var handle = new UpgradeableHandle(await _node.AcquireAsync("read"), new Granting(write));
        _ = handle.HandleLostToken.Register(handle.Dispose);
        Assert.True(await Task.Run(() => handle.TryUpgradeToWriteLock(), Cancellation).WaitAsync(Bound, Cancellation));
        Assert.Throws<ObjectDisposedException>(() => handle.HandleLostToken);
    }

    private async Task<IDistributedLockUpgradeableHandle> AcquireAsync() => await Lock.AcquireUpgradeableReadLockAsync(cancellationToken: Cancellation);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<CancellationToken> UpgradeAndForgetAsync()
    {
        var handle = await AcquireAsync();
        await handle.UpgradeToWriteLockAsync(cancellationToken: Cancellation);
        return handle.HandleLostToken;
    }

    /// <summary>A lock that is granted by a lease that there is already.</summary>
    private sealed class Granting(ILockLease lease) : ILock
    {
        public string Name => lease.LockName;

        public ILock WithOwner(LockOwner owner) => throw new NotSupportedException();

        public Task<ILockLease?> TryAcquireAsync(CancellationToken cancellationToken = default) => Task.FromResult<ILockLease?>(lease);

        public Task<ILockLease?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => Task.FromResult<ILockLease?>(lease);

        public Task<ILockLease> AcquireAsync(CancellationToken cancellationToken = default) => Task.FromResult(lease);

        public Task<ILockLease> AcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => Task.FromResult(lease);
    }
}
