namespace Coordination.Leases;

/// <summary>What the user holds of a lease. The watchdog knows it only weakly: when it is collected, renewals stop.</summary>
internal sealed class LeaseHandle : ILockLease
{
    private readonly Lease _lease;
    private readonly LeaseActions _actions;
    private readonly Lock _gate = new();
    private Task<ReleaseResult>? _release;

    public LeaseHandle(Lease lease, LeaseActions actions)
    {
        _lease = lease;
        _actions = actions;
        lease.BindTo(this);
    }

    public Lease Lease => _lease;

    public string LockName => _lease.Grant.LockName;

    public LockOwner Owner => _lease.Grant.Owner;

    public long FencingToken => _lease.Grant.FencingToken;

    public CancellationToken Lost => _lease.Lost;

    public LeaseLossReason? LossReason => _lease.LossReason;

    public LeaseState State => _lease.State;

    public TimeSpan Remaining => _lease.Remaining;

    public Task<RenewalResult> RenewAsync(CancellationToken cancellationToken = default) => _actions.RenewAsync(_lease, cancellationToken);

    public async Task<ReleaseResult> ReleaseAsync(CancellationToken cancellationToken = default)
    {
        Task<ReleaseResult> release;
        bool isFirst;
        lock (_gate)
        {
            // A cancelled token does not keep the release from being sent: it only ends the wait for its answer.
            isFirst = _release is null;
            release = _release ??= _actions.ReleaseAsync(_lease);
        }

        var result = await release.WaitAsync(cancellationToken).ConfigureAwait(false);
        return isFirst || result == ReleaseResult.Unknown ? result : ReleaseResult.AlreadyReleased;
    }

    /// <summary>Gives back a lease that nobody received.</summary>
    public Task UndoAsync() => _actions.ReleaseAsync(_lease, wasReceived: false);

    public ValueTask DisposeAsync() => new(ReleaseAsync());
}
