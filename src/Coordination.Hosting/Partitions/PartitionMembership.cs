namespace Coordination.Hosting.Partitions;

/// <summary>
/// What says that a node takes part: a permit of a semaphore that each live node holds. Who takes part is who holds one. Nothing is exclusive by it: a node that lost its permit keeps the partitions whose leases it has.
/// For one caller at a time.
/// </summary>
internal sealed class PartitionMembership(ILock semaphore, ILockInspector inspector, string nodeId, int? maxPartitions) : IAsyncDisposable
{
    private ILockLease? _lease;

    /// <summary>Whether the node is known to take part.</summary>
    public bool IsMember => _lease is { State: not (LeaseState.Lost or LeaseState.Released) };

    /// <summary>Why the permit was lost; null while it is not.</summary>
    public LeaseLossReason? LossReason => _lease?.LossReason;

    /// <summary>Takes part; waits for as long as the store is away.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store refused for good.</exception>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        await DisposeAsync().ConfigureAwait(false);
        _lease = await semaphore.AcquireAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads who takes part, and after how long the first of them will not do so any more if it is dead.</summary>
    /// <param name="takesPart">Whether this node is one of them, whatever the store says.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The members in the order of their ids.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not be asked.</exception>
    public async Task<(IReadOnlyList<PartitionMember> Members, TimeSpan FirstEnd)> ReadAsync(bool takesPart, CancellationToken cancellationToken)
    {
        var found = await inspector.InspectAsync(semaphore.Name, maxWaiters: 0, cancellationToken).ConfigureAwait(false);
        var members = new SortedDictionary<string, PartitionMember>(StringComparer.Ordinal);
        if (takesPart)
        {
            members[nodeId] = new() { NodeId = nodeId, Since = DateTimeOffset.MinValue, MaxPartitions = maxPartitions };
        }

        var firstEnd = TimeSpan.MaxValue;
        foreach (var holder in found.Holders.Where(static holder => !holder.IsReleased && holder.TimeToLive > TimeSpan.Zero).Where(holder => takesPart || holder.Owner.NodeId != nodeId))
        {
            // A node that had lost its permit may hold a second one for a while: the later counts.
            members[holder.Owner.NodeId] = new() { NodeId = holder.Owner.NodeId, Since = holder.Since, MaxPartitions = PartitionNote.Read(holder.Note) };
            firstEnd = holder.TimeToLive < firstEnd ? holder.TimeToLive : firstEnd;
        }

        return ([.. members.Values], firstEnd);
    }

    /// <summary>Takes part no more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_lease is { } lease)
        {
            _lease = null;
            await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
