using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Coordination.Time;

namespace Coordination.Leases;

/// <summary>What the user holds of a lease. The watchdog does not know it: when it is collected, renewals stop.</summary>
[SuppressMessage("Usage", "CA1816:Dispose methods should call SuppressFinalize", Justification = "The release does, which the disposal is, and which users call by itself.")]
internal sealed class LeaseHandle : ILockLease
{
    private readonly Lease _lease;
    private readonly LeaseKeeper _keeper;
    private readonly TimeProvider _time;
    private Task<ReleaseResult>? _release;

    public LeaseHandle(Lease lease, LeaseKeeper keeper, TimeProvider time)
    {
        _lease = lease;
        _keeper = keeper;
        _time = time;
    }

    /// <summary>By a flag alone, which the watchdog sees when it looks next: what a loss calls has no business on the finalizer's thread.</summary>
    ~LeaseHandle() => _lease.Abandon();

    public Lease Lease => _lease;

    public string LockName => _lease.Grant.LockName;

    public LockOwner Owner => _lease.Grant.Owner;

    public long FencingToken => _lease.Grant.FencingToken;

    public int? Permit => _lease.Grant.Permit;

    public CancellationToken Lost => _lease.Lost;

    public CancellationToken StepDownRequested => _lease.StepDownRequested;

    public StepDownRequest? StepDownRequest => _lease.StepDownRequest;

    public LeaseLossReason? LossReason => _lease.LossReason;

    public LeaseState State => _lease.State;

    public TimeSpan Remaining => _lease.Remaining;

    public void ReportProgress() => _keeper.ReportProgress(_lease);

    public async Task GuardAsync(DbTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (!await _keeper.GuardAsync(_lease, transaction, cancellationToken).ConfigureAwait(false))
        {
            throw State == LeaseState.Lost
                ? new LeaseLostException(this)
                : new InvalidOperationException($"The lease of the lock '{LockName}' was released, and guards nothing any more. Guard a transaction before the release, and release after its commit.");
        }
    }

    public Task<RenewalResult> RenewAsync(CancellationToken cancellationToken = default) => _keeper.RenewAsync(_lease, cancellationToken);

    public Task<ReleaseResult> ReleaseAsync(CancellationToken cancellationToken = default) => ReleaseAsync(_lease.StepDownRequest?.Successor, cancellationToken);

    public Task<ReleaseResult> ReleaseAsync(string? successor, CancellationToken cancellationToken = default)
    {
        LockOwner.ValidateNode(successor, nameof(successor));
        Task<ReleaseResult> release;
        bool isFirst;
        lock (_lease)
        {
            // A cancelled token does not keep the release from being sent: it only ends the wait for its reply.
            isFirst = _release is null;
            release = _release ??= _keeper.ReleaseAsync(_lease, successor);
        }

        GC.SuppressFinalize(this);

        return isFirst ? release.WithinAsync(Timeout.InfiniteTimeSpan, _time, cancellationToken: cancellationToken) : AgainAsync(release, cancellationToken);
    }

    /// <summary>Releases it, for nobody has received it.</summary>
    public void Undo()
    {
        GC.SuppressFinalize(this);
        _ = _keeper.UndoAsync(_lease);
    }

    public ValueTask DisposeAsync() => new(ReleaseAsync());

    private async Task<ReleaseResult> AgainAsync(Task<ReleaseResult> release, CancellationToken cancellationToken)
    {
        var result = await release.WithinAsync(Timeout.InfiniteTimeSpan, _time, cancellationToken: cancellationToken).ConfigureAwait(false);
        return result == ReleaseResult.Unknown ? result : ReleaseResult.AlreadyReleased;
    }
}
