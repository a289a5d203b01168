using System.Diagnostics.CodeAnalysis;
using Medallion.Threading;

namespace Coordination.DistributedLock.Locks;

/// <summary>An upgradeable read as a handle; once it is upgraded, that and a lease to write.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of, and its token outlives the handle.")]
[SuppressMessage("Usage", "CA2213:Disposable fields should be disposed", Justification = "As above.")]
internal sealed class UpgradeableHandle : DistributedLockHandle, IDistributedLockUpgradeableHandle
{
    private readonly ILock _upgrade;

    /// <summary>One for both leases, as who registered on it before an upgrade is to hear of what happens after it. Refers to neither of them.</summary>
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _gate = new();

    /// <summary>The upgrade that somebody waits for; completed when nobody does.</summary>
    private Task _upgrading = Task.CompletedTask;
    private volatile ILockLease? _write;

    /// <param name="read">The upgradeable read.</param>
    /// <param name="upgrade">What it is upgraded to.</param>
    public UpgradeableHandle(ILockLease read, ILock upgrade)
        : base(read)
    {
        _upgrade = upgrade;
        Watch(read);
    }

    /// <summary>That of the write lease from the upgrade on: a resource that has seen its token refuses the reader's.</summary>
    public override ILockLease Lease => _write ?? base.Lease;

    protected override CancellationToken Lost => _lost.Token;

    public bool TryUpgradeToWriteLock(TimeSpan timeout = default, CancellationToken cancellationToken = default)
    {
        var limit = LockWait.Limit(timeout);
        return Blocking.Run(() => TryUpgradeAsync(limit, cancellationToken));
    }

    public void UpgradeToWriteLock(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var limit = LockWait.Limit(timeout);
        Blocking.Run(() => UpgradeAsync(limit, cancellationToken));
    }

    public ValueTask<bool> TryUpgradeToWriteLockAsync(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        new(TryUpgradeAsync(LockWait.Limit(timeout), cancellationToken));

    public ValueTask UpgradeToWriteLockAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        new(UpgradeAsync(LockWait.Limit(timeout), cancellationToken));

    /// <summary>Ends an upgrade that somebody waits for, so that no lease to write is left, and releases both leases.</summary>
    protected override async Task<ReleaseResult> ReleaseAsync()
    {
        Task upgrading;
        lock (_gate)
        {
            upgrading = _upgrading;
        }

        _disposing.Cancel();
        await upgrading.ConfigureAwait(false);

        // The write first, as it is of the read. Both at once, as each may take the release timeout with the store away.
        var write = _write?.ReleaseAsync(CancellationToken.None);
        var released = await base.ReleaseAsync().ConfigureAwait(false);
        if (write is not null)
        {
            await write.ConfigureAwait(false);
        }

        return released;
    }

    private Task<bool> TryUpgradeAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        BeginUpgradeAsync(token => _upgrade.TryAcquireWithinAsync(limit, token), cancellationToken);

    private Task<bool> UpgradeAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        BeginUpgradeAsync(token => _upgrade.AcquireAsync(limit, token)!, cancellationToken);

    /// <summary>Not an asynchronous method itself: that a handle cannot be upgraded is thrown at the caller.</summary>
    private Task<bool> BeginUpgradeAsync(Func<CancellationToken, Task<ILockLease?>> acquire, CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ThrowIfDisposed();
            if (_write is not null)
            {
                throw new InvalidOperationException($"'{Lease.LockName}' has been upgraded by this handle already. It stays so until the handle is disposed.");
            }

            if (!_upgrading.IsCompleted)
            {
                throw new InvalidOperationException($"'{Lease.LockName}' is being upgraded by another call on this handle. Wait for that one.");
            }

            _upgrading = ended.Task;
        }

        return UpgradeAsync(acquire, ended, cancellationToken);
    }

    private async Task<bool> UpgradeAsync(Func<CancellationToken, Task<ILockLease?>> acquire, TaskCompletionSource ended, CancellationToken cancellationToken)
    {
        if (await AcquireWriteAsync(acquire, ended, cancellationToken).ConfigureAwait(false) is not { } write)
        {
            return false;
        }

        // Not before the upgrade has ended: who hears at once that it is lost may dispose of the handle, and that waits for the end.
        Watch(write);
        return true;
    }

    private async Task<ILockLease?> AcquireWriteAsync(Func<CancellationToken, Task<ILockLease?>> acquire, TaskCompletionSource ended, CancellationToken cancellationToken)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
            return _write = await acquire(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // With the caller's token, and not the one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            ThrowIfDisposed();
            throw;
        }
        finally
        {
            ended.SetResult();
        }
    }

    private void Watch(ILockLease lease) => lease.Lost.UnsafeRegister(static lost => ((CancellationTokenSource)lost!).Cancel(), _lost);
}
