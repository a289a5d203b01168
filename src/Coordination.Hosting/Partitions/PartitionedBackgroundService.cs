using Coordination.Hosting.Terms;

namespace Coordination;

/// <summary>
/// A background service whose work is cut into partitions, such as the parts of a queue or the tenants of a database: the nodes that register it share them, each partition is
/// led by one node at a time, and a node that comes, goes or dies has its share given to it or taken over. Register it with <c>services.AddPartitionedBackgroundService&lt;T&gt;()</c>.
/// </summary>
/// <remarks>
/// <para>Every live node has a fair share: as many partitions as any other, or one less. Who has which follows from the names of the nodes and of the partitions alone (rendezvous
/// hashing), so that a change of the nodes moves few partitions beside those that have to move. There is no leader that deals them out: each node works out its share, waits for
/// the locks of it, and gives away the rest when their new nodes wait.</para>
/// <para>When a node has come, no node begins a partition that is new to it until no other one has come for a second (a <see cref="PartitionedServiceOptions.BalanceInterval"/>, where that is shorter), or for three
/// times as long at most: nodes that start together share once. For a node that goes nobody waits so.</para>
/// <para>A node whose host stops takes part no more at once, and works on until the others have learned of it: the work of each partition is told to stop when its next node waits for it, and all of it after a
/// <see cref="PartitionedServiceOptions.BalanceInterval"/> and a second, or three seconds, at the latest, also where the store hangs; at once where no other node takes part. Work that is to end with its host ends that much later.</para>
/// <para>An operator's <see cref="ILockInspector.StepDownAsync"/>, of the lock of one partition, and <see cref="ExclusiveTerm.StepDown"/> end a term on purpose: the work is told and awaited, and the lock passes to
/// the node that was named, if it waits for it, and else to the first that waits. As long as this node was asked to stay away, or for a minute where a node was named that does not wait, it does not begin that partition
/// again, and another node leads it, where one takes part that has room; without one nobody does after <c>stayAway</c>. It ends early where this node takes part no more and then does, by a drain or
/// <see cref="IPartitionedLeadership.SetCanLead"/>. After it the partition is this node's share again.</para>
/// <para>A partition whose work has not returned by the safety margin after its lease was lost passes to another node in the same way, until it has.</para>
/// <para>That one node at a time works on a partition rests on the lock of the partition alone, which has a fencing token as any other.</para>
/// <para>The object is made once, when the host starts, and does the work of all partitions of its node, many at a time: what it keeps for one, it keeps by the name. It lives as
/// long as the host: take scoped services from <see cref="ExclusiveTerm.Services"/>, of which each term of each partition has its own scope.</para>
/// </remarks>
public abstract class PartitionedBackgroundService : ITermWork
{
    /// <summary>Whether <see cref="GetPartitionsAsync"/> is overridden; true as well where the platform cannot tell.</summary>
    internal bool NamesPartitions
    {
        get
        {
            try
            {
                return new Func<CancellationToken, Task<IReadOnlyCollection<string>?>>(GetPartitionsAsync).Method.DeclaringType != typeof(PartitionedBackgroundService);
            }
            catch (NotSupportedException)
            {
                // Compiled ahead of time, with nothing left of the method but its code. Then it is found out when the partitions are asked for.
                return true;
            }
        }
    }

    /// <summary>
    /// Does the work of one partition for one term. Called when this node has come to lead the partition, beside the calls for its other partitions, and not again for the same
    /// one until the call has returned.
    /// </summary>
    /// <param name="term">The term: <see cref="ExclusiveTerm.Partition"/>, the lease with its fencing token, and a scope of services.</param>
    /// <param name="stoppingToken">
    /// Cancelled when the work has to stop: the lease was lost, the partition passes to another node or is no more, the host stops, or the term steps down. On loss, stop within
    /// the safety margin: after that another node may lead the partition.
    /// </param>
    /// <returns>
    /// A task that ends when the work has really stopped: the lock is released then. One that ends by itself is begun again after
    /// <see cref="PartitionedServiceOptions.CompletionPause"/>. What it throws before <paramref name="stoppingToken"/> was cancelled is a failure: it is logged, and this
    /// partition, and no other one, is begun again after a backoff.
    /// </returns>
    protected abstract Task ExecutePartitionAsync(ExclusiveTerm term, CancellationToken stoppingToken);

    /// <summary>
    /// Called when a term of a partition begins, before its work: to announce who leads the partition, as in a registry of services. Does nothing by default. The node calls it, for several partitions at a time; what
    /// stands around a service, such as a decorator, passes it on.
    /// </summary>
    /// <param name="term">The term: <see cref="ExclusiveTerm.Partition"/> says of which partition.</param>
    /// <param name="cancellationToken">Cancelled when the term has to end already, as <see cref="ExecutePartitionAsync"/> would be told. Then the work does not begin.</param>
    /// <remarks>
    /// What it throws is a failure of the partition, as if its work had thrown it: the work does not begin, the other two hooks are called, the lock is released, and this partition, and no other one, is begun
    /// again after a backoff.
    /// </remarks>
    public virtual Task TermStartingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called when the work of a term has returned, however it ended, and the lock of the partition is still held: to withdraw what was announced before another node leads it. Does nothing by default. Called
    /// once for each <see cref="TermStartingAsync"/>.
    /// </summary>
    /// <param name="term">
    /// The term. Where its lease was lost it is called all the same, and <see cref="ExclusiveTerm.State"/> is <see cref="LeaseState.Lost"/>: another node may lead the partition already.
    /// </param>
    /// <param name="cancellationToken">Cancelled when the lease is lost, and for nothing else: not when the host stops, for that waits until the lock is released.</param>
    /// <returns>A task that ends when all is done. The lease is renewed and watched until then, and no other node leads the partition: what it takes, the handover takes longer. <see cref="ExclusiveTerm.ReportProgress"/> counts on: the lease is lost where <c>ProgressTimeout</c> passes meanwhile.</returns>
    /// <remarks>What it throws is logged, and changes nothing else: the lock is released, and how the term ended stays.</remarks>
    public virtual Task TermStoppingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called when the lock of a term has been released. Another node may lead the partition. This node contends for it again when it has returned; a host that stops waits for it, and so does a drain. Does
    /// nothing by default. Called once for each <see cref="TermStoppingAsync"/>.
    /// </summary>
    /// <param name="term">How the term ended: <see cref="EndedTerm.Partition"/> says of which partition.</param>
    /// <remarks>What it throws is logged, and changes nothing else.</remarks>
    public virtual Task TermStoppedAsync(EndedTerm term) => Task.CompletedTask;

    /// <summary>
    /// Names the partitions that there are now. Asked when the host has started and then every <see cref="PartitionedServiceOptions.PartitionsInterval"/>; names may come and go.
    /// The work of a partition that is gone is told to stop.
    /// </summary>
    /// <remarks>
    /// To be the same on every node, and the same names from one time to the next: while the lists of two nodes differ, a few partitions beside those may be led by nobody until they are the same again. If
    /// it throws, or has not returned after a minute, when its token is cancelled, the node keeps the list that it has, says so once, and asks again; never before the call has returned. A stop waits for it for a second
    /// at most. A name is any text that is not empty and is valid Unicode; names that are listed twice count once. Any other is left out, which the log says once and the health check reports: no node leads that
    /// partition.
    /// </remarks>
    /// <param name="cancellationToken">Cancelled when the host stops, and when the call has taken a minute.</param>
    /// <returns>The names; null, which is what this returns, for the numbers from zero up to <see cref="PartitionedServiceOptions.Partitions"/>, without that one. A service that neither overrides this nor has that option does not start.</returns>
    protected virtual Task<IReadOnlyCollection<string>?> GetPartitionsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyCollection<string>?>(null);

    /// <summary>Calls <see cref="ExecutePartitionAsync"/>. For what stands around a service, such as a decorator or a test: only a node that leads has a term.</summary>
    /// <param name="term">The term, which a node begins when it leads.</param>
    /// <param name="stoppingToken">Cancelled when the work has to stop.</param>
    /// <exception cref="ArgumentNullException"><paramref name="term"/> is null.</exception>
    public Task RunTermAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        ArgumentNullException.ThrowIfNull(term);
        return ExecutePartitionAsync(term, stoppingToken);
    }

    /// <summary>Calls <see cref="GetPartitionsAsync"/>. For what stands around a service, such as a decorator or a test.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<IReadOnlyCollection<string>?> ListPartitionsAsync(CancellationToken cancellationToken) => GetPartitionsAsync(cancellationToken);
}
