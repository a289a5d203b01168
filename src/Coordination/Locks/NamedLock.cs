using Coordination.Telemetry;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>A lock by its name, and the owner that it is acquired as, if any.</summary>
internal sealed class NamedLock(Acquirer acquirer, string name, LockOwner? owner, LockOptions? options, LockShare? share, CallKind kind = CallKind.User) : ILock
{
    /// <summary>What no timer can tell from zero: there is no time to wait, and the lock may be free all the same.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    public string Name => name;

    private WaitKey Key => new(name, owner, options, share);

    public ILock WithOwner(LockOwner owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        if (owner.NodeId != acquirer.NodeId)
        {
            // Notifications go to the node of the owner: this one would not hear of its grants.
            throw new ArgumentException($"The owner '{owner}' is of another provider; this one is the node '{acquirer.NodeId}'. Use an owner that {nameof(ILockProvider.CreateOwner)} of this provider returns.", nameof(owner));
        }

        if (share is not null)
        {
            throw new NotSupportedException($"'{name}' is {share.Capacity}, which is not re-entered: each acquisition takes a share of its own. Pass the lease on to the code that needs it.");
        }

        return new NamedLock(acquirer, name, owner, options, share, kind);
    }

    public ILock AsStandby() => new NamedLock(acquirer, name, owner, options, share, CallKind.Standby);

    public Task<ILockLease?> TryAcquireAsync(CancellationToken cancellationToken = default) =>
        acquirer.TryOnceAsync(Key, cancellationToken);

    public Task<ILockLease?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        DurationRange.Timeout.Validate(nameof(timeout), nameof(timeout), timeout);
        return IsOneTry(timeout)
            ? acquirer.TryOnceAsync(Key, cancellationToken)
            : acquirer.WaitAsync(Key, kind, timeout, cancellationToken);
    }

    public Task<ILockLease> AcquireAsync(CancellationToken cancellationToken = default) =>
        acquirer.WaitAsync(Key, kind, Timeout.InfiniteTimeSpan, cancellationToken)!;

    public async Task<ILockLease> AcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        try
        {
            return await TryAcquireAsync(timeout, cancellationToken).ConfigureAwait(false)
                ?? throw new TimeoutException($"The lock '{name}' was not granted within {timeout}.");
        }
        catch (LockStoreException e) when (e.IsTransient && !IsOneTry(timeout))
        {
            throw new TimeoutException(e.Message, e);
        }
    }

    /// <summary>Whether a timeout leaves no time to wait.</summary>
    public static bool IsOneTry(TimeSpan timeout) => timeout >= TimeSpan.Zero && timeout < ShortestWait;
}
