using Coordination.Leases;
using Coordination.Locks;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;
using Coordination.Waiting;

namespace Coordination.Occurrences;

/// <summary>
/// Locks for work that is run once for each of its scheduled times: the store grants the lock and notes the occurrence in one step. For authors of
/// integrations with schedulers.
/// </summary>
/// <remarks>Registered by <c>AddCoordination</c>. Safe for use by several threads.</remarks>
public sealed class OccurrenceLocks
{
    private static readonly DurationRange RememberFor = DurationRange.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(366));

    private readonly Acquirer _acquirer;
    private readonly LeaseKeeper _leases;
    private readonly Node _node;
    private readonly StoreClient _store;

    internal OccurrenceLocks(Acquirer acquirer, LeaseKeeper leases, Node node, StoreClient store)
    {
        _acquirer = acquirer;
        _leases = leases;
        _node = node;
        _store = store;
    }

    /// <summary>Tries once.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="options">How it is held; null for the defaults.</param>
    /// <param name="occurrence">The occurrence; null for none.</param>
    /// <param name="cancellationToken">Ends the try. A grant that comes in the same moment is undone, and the occurrence with it.</param>
    /// <exception cref="ArgumentException">The name or an option is out of its range.</exception>
    /// <exception cref="LockStoreException">The store could not reply.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<OccurrenceAttempt> TryAcquireAsync(string lockName, LockOptions? options, Occurrence? occurrence, CancellationToken cancellationToken = default) =>
        TryAcquireAsync(lockName, share: null, options, occurrence, cancellationToken);

    /// <summary>Tries once, for a lock that several may hold at a time.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="share">What is wanted of it; null for an exclusive lock.</param>
    /// <param name="options">How it is held; null for the defaults.</param>
    /// <param name="occurrence">The occurrence; null for none. One whose run is under way elsewhere is not granted, also where there is room beside it.</param>
    /// <param name="cancellationToken">Ends the try. A grant that comes in the same moment is undone, and the occurrence with it.</param>
    /// <exception cref="ArgumentException">The name, the share or an option is out of its range.</exception>
    /// <exception cref="NotSupportedException">The store keeps exclusive locks only.</exception>
    /// <exception cref="LockStoreException">The store could not reply; or others use the name with another capacity (<see cref="LockStoreException.InUseAs"/>).</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<OccurrenceAttempt> TryAcquireAsync(
        string lockName, LockShare? share, LockOptions? options, Occurrence? occurrence, CancellationToken cancellationToken = default)
    {
        Validate(lockName, share, options, occurrence);
        var attempt = await _acquirer.TryOnceAsync(new WaitKey(lockName, Owner: null, options, share), occurrence, cancellationToken).ConfigureAwait(false);
        return ToAttempt(attempt.Lease, attempt.Reply);
    }

    /// <summary>Waits for the lock as others do, whatever the occurrence, and then asks for the occurrence.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="options">How it is held; null for the defaults.</param>
    /// <param name="occurrence">The occurrence; null for none.</param>
    /// <param name="timeout">How long to wait; or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the wait. A grant that comes in the same moment is undone, and the occurrence with it.</param>
    /// <exception cref="ArgumentException">The name or an option is out of its range.</exception>
    /// <exception cref="LockStoreException">The store refused for good, or could not reply for the occurrence.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<OccurrenceAttempt> AcquireAsync(string lockName, LockOptions? options, Occurrence? occurrence, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        AcquireAsync(lockName, share: null, options, occurrence, timeout, cancellationToken);

    /// <summary>Waits for a lock that several may hold at a time as others do, whatever the occurrence, and then asks for the occurrence.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="share">What is wanted of it; null for an exclusive lock.</param>
    /// <param name="options">How it is held; null for the defaults.</param>
    /// <param name="occurrence">The occurrence; null for none. Where its run is under way elsewhere, the lease that was waited for is undone, also though there was room beside it.
    /// A later one of its series that began meanwhile does not count.</param>
    /// <param name="timeout">How long to wait; or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Ends the wait. A grant that comes in the same moment is undone, and the occurrence with it.</param>
    /// <exception cref="ArgumentException">The name, the share or an option is out of its range.</exception>
    /// <exception cref="NotSupportedException">The store keeps exclusive locks only.</exception>
    /// <exception cref="LockStoreException">
    /// The store refused for good, as where others use the name with another capacity (<see cref="LockStoreException.InUseAs"/>); or could not reply for the occurrence.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<OccurrenceAttempt> AcquireAsync(
        string lockName, LockShare? share, LockOptions? options, Occurrence? occurrence, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        Validate(lockName, share, options, occurrence);
        DurationRange.Timeout.Validate(nameof(timeout), nameof(timeout), timeout);

        // It may last for hours, and nobody called for it.
        return await _acquirer.WaitAsync(new WaitKey(lockName, Owner: null, options, share), CallKind.Standby, timeout, cancellationToken).ConfigureAwait(false) switch
        {
            null => new OccurrenceAttempt(),
            LeaseHandle lease when occurrence is not null => await ConfirmAsync(lease, occurrence, cancellationToken).ConfigureAwait(false),
            var lease => new OccurrenceAttempt { Lease = lease },
        };
    }

    /// <summary>Undoes a lease whose run does not begin after all: another node may run the occurrence, and the lock is not held for any time at least.</summary>
    /// <param name="lease">A lease from here.</param>
    /// <exception cref="ArgumentException">The lease is not from here.</exception>
    public Task UndoAsync(ILockLease lease) => _leases.UndoAsync(Own(lease));

    /// <summary>Releases a lease whose run was begun and not finished: another node may recover the occurrence, as after a crash, and sooner.</summary>
    /// <param name="lease">A lease from here.</param>
    /// <exception cref="ArgumentException">The lease is not from here.</exception>
    public Task ReleaseUnfinishedAsync(ILockLease lease)
    {
        var unfinished = Own(lease);
        unfinished.Occurrence = null;
        return _leases.UndoAsync(unfinished);
    }

    private static Lease Own(ILockLease lease) => (lease as LeaseHandle)?.Lease ?? throw new ArgumentException($"The lease is not one of {nameof(OccurrenceLocks)}.", nameof(lease));

    private void Validate(string lockName, LockShare? share, LockOptions? options, Occurrence? occurrence)
    {
        LockName.Validate(lockName);
        LockOptionsRange.Validate(options);
        if (share is not null)
        {
            LockOptionsRange.ValidateShared(lockName, share, options);
            _acquirer.ThrowIfExclusiveOnly(lockName);
        }

        RememberFor.Validate(nameof(occurrence), nameof(occurrence.RememberFor), occurrence?.RememberFor);
    }

    private static OccurrenceAttempt ToAttempt(ILockLease? lease, AcquireReply reply) =>
        new() { Lease = lease, Holder = reply.Holder, Status = reply.OccurrenceStatus, Run = reply.OccurrenceRun };

    /// <summary>Asks whether an occurrence may be run under a lease that was waited for. Where it may not, the lease is undone.</summary>
    internal async Task<OccurrenceAttempt> ConfirmAsync(LeaseHandle handle, Occurrence occurrence, CancellationToken cancellationToken)
    {
        var lease = handle.Lease;

        // From here on, because the reply may be lost: whoever undoes the lease undoes the occurrence with it.
        lease.Occurrence = occurrence;
        AcquireReply reply;
        var request = _node.Acquire(lease.Grant, occurrence);
        var sending = new Sending();
        try
        {
            var limit = _node.AcquireLimit(lease.Grant.Options);
            reply = (await _store.AcquireAsync(request, limit, patience: limit, sending, cancellationToken).ConfigureAwait(false)).Reply;
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch
        {
            // Whatever it was, the caller does not wait for the undo as well.
            _ = Detached.Run(() => _leases.UndoAsync(lease));
            if (sending.MayBeApplied)
            {
                // Of a server that hangs for longer than the lease, the question itself may be granted the lock anew.
                _ = _leases.UndoAsync(request);
            }

            throw;
        }

        // The lock may have been lost meanwhile, and granted anew, or not.
        if (reply.FencingToken == handle.FencingToken)
        {
            return ToAttempt(handle, reply);
        }

        await _leases.UndoAsync(lease).ConfigureAwait(false);
        WrongUse.ThrowIfOf(reply, request);
        return ToAttempt(null, reply);
    }
}
