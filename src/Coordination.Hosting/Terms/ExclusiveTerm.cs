using System.Data.Common;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Terms;

namespace Coordination;

/// <summary>
/// One tenure of this node as the leader of an <see cref="ExclusiveBackgroundService"/>: the lease, to be read; a scope of services; and a way to end
/// the term on purpose. The lock is released when the work has returned, and by nothing that a term has.
/// </summary>
/// <remarks>May be used by any thread.</remarks>
public sealed class ExclusiveTerm : ILease
{

    private readonly ILease _lease;
    private readonly WorkEnding _ending;

    internal ExclusiveTerm(ILease lease, IServiceProvider services, WorkEnding ending, string? partition = null)
    {
        _lease = lease;
        _ending = ending;
        Partition = partition;
        Services = services;
    }

    /// <inheritdoc/>
    public string LockName => _lease.LockName;

    /// <inheritdoc/>
    public LockOwner Owner => _lease.Owner;

    /// <inheritdoc/>
    public long FencingToken => _lease.FencingToken;

    /// <inheritdoc/>
    public int? Permit => _lease.Permit;

    /// <summary>
    /// Which of the leaders this is: a number that no other node which leads in the service has, as long as the lease is held. For a share of the work, as a partition or
    /// a part of the keys. It is given again after the term, the lowest that is free first.
    /// </summary>
    /// <value>From zero to one less than <see cref="ExclusiveServiceOptions.Instances"/>: zero where one node leads at a time.</value>
    /// <remarks>A leader that was paused for longer than its lease may meet another one with its number: the fencing tokens of the two differ, and the later is the greater.</remarks>
    public int Instance => _lease.Permit ?? 0;

    /// <summary>The partition that this node leads in the term, of a <see cref="PartitionedBackgroundService"/>.</summary>
    /// <value>Null for a service that has no partitions.</value>
    public string? Partition { get; }

    /// <inheritdoc/>
    public CancellationToken Lost => _lease.Lost;

    /// <inheritdoc/>
    public CancellationToken StepDownRequested => _lease.StepDownRequested;

    /// <inheritdoc/>
    public StepDownRequest? StepDownRequest => _lease.StepDownRequest;

    /// <inheritdoc/>
    public LeaseLossReason? LossReason => _lease.LossReason;

    /// <inheritdoc/>
    public LeaseState State => _lease.State;

    /// <inheritdoc/>
    public TimeSpan Remaining => _lease.Remaining;

    /// <inheritdoc/>
    public void ReportProgress() => _lease.ReportProgress();

    /// <inheritdoc/>
    public Task GuardAsync(DbTransaction transaction, CancellationToken cancellationToken = default) => _lease.GuardAsync(transaction, cancellationToken);

    /// <summary>
    /// The services of this term: a scope that is made when the term begins, and disposed when the work has returned, before the lock is released.
    /// </summary>
    public IServiceProvider Services { get; }

    /// <summary>What was prepared for it; null where nothing was.</summary>
    internal Prepared? Prepared { get; init; }

    /// <summary>
    /// Ends this term on purpose, with no error: the token of the work is cancelled, the work is awaited, the lock passes to the next node, and then this
    /// node contends again. Returns at once. Where the term is ending already, what is said here of the absence and of the successor counts, and null leaves what was said before; when it is over, nothing does.
    /// </summary>
    /// <param name="stayAway">
    /// How long this node does not contend after the term: zero to 49 days. Null, the default, for not at all: it waits behind the nodes that wait already,
    /// and leads again at once where there are none. It ends early where the node is drained and resumed, or may lead no more and then may.
    /// </param>
    /// <param name="successor">
    /// The node that the lock passes to, if it waits for it then: its id, or its name (<see cref="LockOwner.NodeName"/>), which stands for its first waiter. Null, the default, for the one that is
    /// preferred, or else the first in the queue, as for one that does not wait. Of no use with <see cref="LockOptions.AllowBarging"/>, and while <see cref="LockOptions.LockAtLeastFor"/>
    /// keeps the lock.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="stayAway"/> is not in its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="successor"/> is not one that a node has: it is empty, or has a slash, control characters or half a surrogate pair.</exception>
    public void StepDown(TimeSpan? stayAway = null, string? successor = null)
    {
        _ = StepDownArguments.Validate(stayAway, successor);
        _ending.Ask(WorkEnd.SteppedDown, stayAway ?? TimeSpan.Zero, successor);
    }
}
