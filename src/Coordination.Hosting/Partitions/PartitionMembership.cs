namespace Coordination.Hosting.Partitions;

/// <summary>
/// What says that a node takes part: a permit of a semaphore that each live node holds. Who takes part is who holds one. Nothing is exclusive by it: a node that lost its permit keeps the partitions whose leases it has.
/// For one caller at a time.
/// </summary>
internal sealed class PartitionMembership(PartitionedService service, ILockProvider locks, ILockInspector inspector)
{
    private readonly string _nodeId = locks.NodeId;
    private ILockLease? _lease;
    private string? _note;
    private Task _leaving = Task.CompletedTask;

    /// <summary>Whether the node is known to take part.</summary>
    public bool IsMember => _lease is { State: not (LeaseState.Lost or LeaseState.Released) };

    /// <summary>Why the permit was lost; null while it is not.</summary>
    public LeaseLossReason? LossReason => _lease?.LossReason;

    /// <summary>Takes part; waits for as long as the store is away.</summary>
    /// <param name="note">What it says to the others.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store refused for good.</exception>
    public async Task JoinAsync(string? note, CancellationToken cancellationToken)
    {
        await LeaveAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        _lease = await Semaphore(note).AcquireAsync(cancellationToken).ConfigureAwait(false);
        _note = note;
    }

    /// <summary>Has the others read something else of this node, which takes part all the while: by a second permit, which counts before the first. Does nothing where it is what they read already.</summary>
    /// <param name="note">What it says to the others.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not be asked.</exception>
    public async Task SayAsync(string? note, CancellationToken cancellationToken)
    {
        if (note != _note && await Semaphore(note).TryAcquireAsync(cancellationToken).ConfigureAwait(false) is { } lease)
        {
            _ = LeaveAsync();
            (_lease, _note) = (lease, note);
        }
    }

    /// <summary>Reads who takes part, and after how long the first of them will not do so any more if it is dead.</summary>
    /// <param name="takesPart">Whether this node is one of them, whatever the store says.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The members in the order of their ids.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not be asked.</exception>
    public async Task<(IReadOnlyList<PartitionMember> Members, TimeSpan FirstEnd)> ReadAsync(bool takesPart, CancellationToken cancellationToken)
    {
        var found = await inspector.InspectAsync(service.Locks.Members, maxWaiters: 0, cancellationToken).ConfigureAwait(false);
        var members = new SortedDictionary<string, PartitionMember>(StringComparer.Ordinal);
        if (takesPart)
        {
            members[_nodeId] = new() { NodeId = _nodeId, Since = DateTimeOffset.MinValue, MaxPartitions = PartitionNote.Read(_note), Away = PartitionNote.ReadAway(_note) };
        }

        // A node that had lost its permit, or says something new, may hold a second one for a while: the later counts.
        var firstEnd = TimeSpan.MaxValue;
        foreach (var holder in found.Holders
            .Where(holder => !holder.IsReleased && holder.TimeToLive > TimeSpan.Zero && (takesPart || holder.Owner.NodeId != _nodeId))
            .OrderBy(static holder => holder.FencingToken))
        {
            members[holder.Owner.NodeId] = new() { NodeId = holder.Owner.NodeId, Since = holder.Since, MaxPartitions = PartitionNote.Read(holder.Note), Away = PartitionNote.ReadAway(holder.Note) };
            firstEnd = holder.TimeToLive < firstEnd ? holder.TimeToLive : firstEnd;
        }

        return ([.. members.Values], firstEnd);
    }

    /// <summary>Takes part no more, from now on as this node sees it.</summary>
    /// <returns>Completes when the others can see it, or the store was asked for long enough.</returns>
    public Task LeaveAsync()
    {
        if (_lease is { } lease)
        {
            _lease = null;
            _leaving = Task.WhenAll(_leaving, lease.ReleaseAsync(CancellationToken.None));
        }

        return _leaving;
    }

    private ILock Semaphore(string? note) =>
        // Held for as long as the node takes part, whatever a partition's lock has of its own: no work reports progress under it.
        locks.GetSemaphore(
            service.Locks.Members, LockCapacity.MaxPermits, (service.Options.LockOptions ?? new LockOptions()) with { LockAtLeastFor = null, ProgressTimeout = null, Note = note }).AsStandby();
}
