namespace Coordination.Locks;

/// <summary>The way from an upgradeable read to writing: when its node knows that the read is lost, nobody waits any more for what can no longer be had.</summary>
internal sealed class UpgradingLock(ILock upgrade, ILockLease read) : ILock
{
    public string Name => upgrade.Name;

    public ILock WithOwner(LockOwner owner) => upgrade.WithOwner(owner);

    public ILock AsStandby() => new UpgradingLock(upgrade.AsStandby(), read);

    public Task<ILockLease?> TryAcquireAsync(CancellationToken cancellationToken = default) =>
        WhileReadAsync(upgrade.TryAcquireAsync, cancellationToken);

    public Task<ILockLease?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        WhileReadAsync(token => upgrade.TryAcquireAsync(timeout, token), cancellationToken);

    public Task<ILockLease> AcquireAsync(CancellationToken cancellationToken = default) =>
        WhileReadAsync(upgrade.AcquireAsync, cancellationToken);

    public Task<ILockLease> AcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        WhileReadAsync(token => upgrade.AcquireAsync(timeout, token), cancellationToken);

    private async Task<T> WhileReadAsync<T>(Func<CancellationToken, Task<T>> acquireAsync, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, read.Lost);
        try
        {
            return await acquireAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException cancelled) when (either.IsCancellationRequested)
        {
            // With the caller's token, and not the one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            throw new LeaseLostException(read, cancelled);
        }
    }
}
