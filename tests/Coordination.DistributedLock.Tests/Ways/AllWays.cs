using Medallion.Threading;

namespace Coordination.DistributedLock.Tests.Ways;

/// <summary>All members of DistributedLock's interfaces that wait for something.</summary>
public static class AllWays
{
    public static IReadOnlyList<Way> Of(IDistributedLock work) =>
    [
        Blocking<IDistributedLock>(nameof(work.TryAcquire), work.TryAcquire),
        Blocking<IDistributedLock>(nameof(work.Acquire), (timeout, token) => work.Acquire(timeout, token)),
        Awaited<IDistributedLock>(nameof(work.TryAcquireAsync), (timeout, token) => HandleAsync(work.TryAcquireAsync(timeout, token))),
        Awaited<IDistributedLock>(nameof(work.AcquireAsync), (timeout, token) => HandleAsync(work.AcquireAsync(timeout, token)!)),
    ];

    public static IReadOnlyList<Way> Of(IDistributedSemaphore work) =>
    [
        Blocking<IDistributedSemaphore>(nameof(work.TryAcquire), work.TryAcquire),
        Blocking<IDistributedSemaphore>(nameof(work.Acquire), (timeout, token) => work.Acquire(timeout, token)),
        Awaited<IDistributedSemaphore>(nameof(work.TryAcquireAsync), (timeout, token) => HandleAsync(work.TryAcquireAsync(timeout, token))),
        Awaited<IDistributedSemaphore>(nameof(work.AcquireAsync), (timeout, token) => HandleAsync(work.AcquireAsync(timeout, token)!)),
    ];

    public static IReadOnlyList<Way> ToRead(IDistributedReaderWriterLock work) =>
    [
        Blocking<IDistributedReaderWriterLock>(nameof(work.TryAcquireReadLock), work.TryAcquireReadLock),
        Blocking<IDistributedReaderWriterLock>(nameof(work.AcquireReadLock), (timeout, token) => work.AcquireReadLock(timeout, token)),
        Awaited<IDistributedReaderWriterLock>(nameof(work.TryAcquireReadLockAsync), (timeout, token) => HandleAsync(work.TryAcquireReadLockAsync(timeout, token))),
        Awaited<IDistributedReaderWriterLock>(nameof(work.AcquireReadLockAsync), (timeout, token) => HandleAsync(work.AcquireReadLockAsync(timeout, token)!)),
    ];

    public static IReadOnlyList<Way> ToWrite(IDistributedReaderWriterLock work) =>
    [
        Blocking<IDistributedReaderWriterLock>(nameof(work.TryAcquireWriteLock), work.TryAcquireWriteLock),
        Blocking<IDistributedReaderWriterLock>(nameof(work.AcquireWriteLock), (timeout, token) => work.AcquireWriteLock(timeout, token)),
        Awaited<IDistributedReaderWriterLock>(nameof(work.TryAcquireWriteLockAsync), (timeout, token) => HandleAsync(work.TryAcquireWriteLockAsync(timeout, token))),
        Awaited<IDistributedReaderWriterLock>(nameof(work.AcquireWriteLockAsync), (timeout, token) => HandleAsync(work.AcquireWriteLockAsync(timeout, token)!)),
    ];

    public static IReadOnlyList<Way> ToReadUpgradeably(IDistributedUpgradeableReaderWriterLock work) =>
    [
        Blocking<IDistributedUpgradeableReaderWriterLock>(nameof(work.TryAcquireUpgradeableReadLock), work.TryAcquireUpgradeableReadLock),
        Blocking<IDistributedUpgradeableReaderWriterLock>(nameof(work.AcquireUpgradeableReadLock), (timeout, token) => work.AcquireUpgradeableReadLock(timeout, token)),
        Awaited<IDistributedUpgradeableReaderWriterLock>(nameof(work.TryAcquireUpgradeableReadLockAsync), (timeout, token) => HandleAsync(work.TryAcquireUpgradeableReadLockAsync(timeout, token))),
        Awaited<IDistributedUpgradeableReaderWriterLock>(nameof(work.AcquireUpgradeableReadLockAsync), (timeout, token) => HandleAsync(work.AcquireUpgradeableReadLockAsync(timeout, token)!)),
    ];

    /// <summary>What is upgraded is the handle that these return.</summary>
    public static IReadOnlyList<Way> ToUpgrade(IDistributedLockUpgradeableHandle handle) =>
    [
        Blocking<IDistributedLockUpgradeableHandle>(nameof(handle.TryUpgradeToWriteLock), (timeout, token) => handle.TryUpgradeToWriteLock(timeout, token) ? handle : null),
        Blocking<IDistributedLockUpgradeableHandle>(nameof(handle.UpgradeToWriteLock), (timeout, token) =>
        {
            handle.UpgradeToWriteLock(timeout, token);
            return handle;
        }),
        Awaited<IDistributedLockUpgradeableHandle>(nameof(handle.TryUpgradeToWriteLockAsync), (timeout, token) => UpgradedAsync(handle, handle.TryUpgradeToWriteLockAsync(timeout, token))),
        Awaited<IDistributedLockUpgradeableHandle>(nameof(handle.UpgradeToWriteLockAsync), (timeout, token) => UpgradedAsync(handle, handle.UpgradeToWriteLockAsync(timeout, token))),
    ];

    private static Way Blocking<T>(string member, Func<TimeSpan, CancellationToken, IDistributedSynchronizationHandle?> call) => new(typeof(T), member, call);

    private static Way Awaited<T>(string member, Func<TimeSpan, CancellationToken, Task<IAsyncDisposable?>> call) => new(typeof(T), member, call);

    private static async Task<IAsyncDisposable?> HandleAsync<T>(ValueTask<T?> acquiring)
        where T : class, IDistributedSynchronizationHandle => await acquiring;

    private static async Task<IAsyncDisposable?> UpgradedAsync(IDistributedLockUpgradeableHandle handle, ValueTask<bool> upgrading) => await upgrading ? handle : null;

    private static async Task<IAsyncDisposable?> UpgradedAsync(IDistributedLockUpgradeableHandle handle, ValueTask upgrading)
    {
        await upgrading;
        return handle;
    }
}
