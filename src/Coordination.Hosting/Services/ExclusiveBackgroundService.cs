using Coordination.Hosting.Terms;

namespace Coordination;

/// <summary>
/// A background service of which one node at a time does the work: the leader; or up to <see cref="ExclusiveServiceOptions.Instances"/> nodes. Every other node that registers it
/// stands by and takes over when a leader stops, fails, loses its lease or dies. Register it with <c>services.AddExclusiveBackgroundService&lt;T&gt;()</c>.
/// </summary>
/// <remarks>
/// <para>The object is made once, when the host starts, and does every term of its node; its constructor takes what it needs from
/// the container and nothing else. It lives as long as the host: take scoped services from <see cref="ExclusiveTerm.Services"/>.</para>
/// <para>The node contends again after every term, whatever ended it, for as long as the host runs
/// (unless <see cref="ExclusiveServiceOptions.AfterCompletion"/> says otherwise).</para>
/// <para>What its work needs and takes long to make, <see cref="ExclusiveBackgroundService{TPrepared}"/> makes before its node contends.</para>
/// </remarks>
public abstract class ExclusiveBackgroundService : ITermWork
{
    /// <summary>Whether it has something to do before its node contends.</summary>
    internal virtual bool Prepares => false;

    /// <summary>
    /// Does the work of one term. Called when this node has become the leader, and not again until the call has returned.
    /// </summary>
    /// <param name="term">
    /// The term: the lease, for its <see cref="ExclusiveTerm.FencingToken"/>, <see cref="ExclusiveTerm.State"/> and <see cref="ExclusiveTerm.Lost"/>; a
    /// scope of services; and <see cref="ExclusiveTerm.StepDown"/>. The lease is renewed until this method has returned, and released then.
    /// </param>
    /// <param name="stoppingToken">
    /// Cancelled when the work has to stop: the lease was lost, the host stops, the node steps down, or the term is as long as it may be. Where it matters
    /// which, ask <paramref name="term"/>. On loss, stop within the safety margin: after that another node may be leading.
    /// <see cref="ExclusiveTerm.Lost"/> itself turns cancelled on time also when the thread pool is exhausted; this token needs a thread of the pool for that.
    /// </param>
    /// <returns>
    /// A task that ends when the work has really stopped: nothing that needs the lock may go on after it. When it ends
    /// without a loss or a stop the service is done for this term, and <see cref="ExclusiveServiceOptions.AfterCompletion"/> says what comes next.
    /// What it throws after <paramref name="stoppingToken"/> was cancelled is a normal end. What it throws before is a failure: it is logged, the lock is
    /// released so that another node may try, and this node comes back after a backoff.
    /// </returns>
    protected abstract Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken);

    /// <summary>
    /// Called when a term begins, before its work: to announce the leader, as in a registry of services. Does nothing by default. The node calls it; what stands around a service, such as a
    /// decorator, passes it on.
    /// </summary>
    /// <param name="term">The term.</param>
    /// <param name="cancellationToken">Cancelled when the term has to end already, as <see cref="ExecuteExclusiveAsync"/> would be told. Then the work does not begin.</param>
    /// <remarks>
    /// What it throws is a failure of the term, as if the work had thrown it: the work does not begin, the other two hooks are called, the lock is released, and this node comes back after a
    /// backoff.
    /// </remarks>
    public virtual Task TermStartingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called when the work of a term has returned, however it ended, and the lock is still held: to withdraw what was announced before another node leads. Does nothing by default. Called once for
    /// each <see cref="TermStartingAsync"/>.
    /// </summary>
    /// <param name="term">
    /// The term. Where its lease was lost it is called all the same, and <see cref="ExclusiveTerm.State"/> is <see cref="LeaseState.Lost"/>: another node may lead already.
    /// </param>
    /// <param name="cancellationToken">Cancelled when the lease is lost, and for nothing else: not when the host stops, for that waits until the lock is released.</param>
    /// <returns>A task that ends when all is done. The lease is renewed and watched until then, and no other node leads: what it takes, the handover takes longer. <see cref="ExclusiveTerm.ReportProgress"/> counts on: the lease is lost where <c>ProgressTimeout</c> passes meanwhile.</returns>
    /// <remarks>What it throws is logged, and changes nothing else: the lock is released, and how the term ended stays.</remarks>
    public virtual Task TermStoppingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Called when the lock of a term has been released. Another node may lead. This node contends again when it has returned, and a host that stops waits for it. Does nothing by default. Called
    /// once for each <see cref="TermStoppingAsync"/>.
    /// </summary>
    /// <param name="term">How the term ended.</param>
    /// <remarks>What it throws is logged, and changes nothing else.</remarks>
    public virtual Task TermStoppedAsync(EndedTerm term) => Task.CompletedTask;

    /// <summary>Calls <see cref="ExecuteExclusiveAsync"/>. For what stands around a service, such as a decorator or a test: only a node that leads has a term.</summary>
    /// <param name="term">The term, which a node begins when it leads.</param>
    /// <param name="stoppingToken">Cancelled when the work has to stop.</param>
    /// <exception cref="ArgumentNullException"><paramref name="term"/> is null.</exception>
    public Task RunTermAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        ArgumentNullException.ThrowIfNull(term);
        return ExecuteExclusiveAsync(term, stoppingToken);
    }

    internal virtual Task<Prepared?> PrepareTermAsync(CancellationToken cancellationToken) => Task.FromResult<Prepared?>(null);
}
