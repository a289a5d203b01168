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
/// </remarks>
public abstract class ExclusiveBackgroundService
{
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

    /// <summary>Calls <see cref="ExecuteExclusiveAsync"/>. For what stands around a service, such as a decorator or a test: only a node that leads has a term.</summary>
    /// <param name="term">The term, which a node begins when it leads.</param>
    /// <param name="stoppingToken">Cancelled when the work has to stop.</param>
    /// <exception cref="ArgumentNullException"><paramref name="term"/> is null.</exception>
    public Task RunTermAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        ArgumentNullException.ThrowIfNull(term);
        return ExecuteExclusiveAsync(term, stoppingToken);
    }
}
