namespace Coordination;

/// <summary>
/// A background service of which one node at a time does the work: the leader. Every other node that registers it stands by and takes
/// over when the leader stops, fails, loses its lease or dies. Register it with <c>services.AddExclusiveBackgroundService&lt;T&gt;()</c>.
/// </summary>
/// <remarks>
/// <para>The instance is made once, when the host starts, and does every term of its node; its constructor takes what it needs from
/// the container and nothing else. It lives as long as the host: take scoped services from an <c>IServiceScopeFactory</c> within a term.</para>
/// <para>The node contends again after every term, whatever ended it, for as long as the host runs
/// (unless <see cref="ExclusiveServiceOptions.AfterCompletion"/> says otherwise).</para>
/// </remarks>
public abstract class ExclusiveBackgroundService
{
    /// <summary>
    /// Does the work of one term. Called when this node has become the leader, and not again until the call has returned.
    /// </summary>
    /// <param name="lease">
    /// The lease of the term, for its <see cref="ILease.FencingToken"/>, <see cref="ILease.State"/> and
    /// <see cref="ILease.Lost"/>. It is renewed until this method has returned and is then released: do not release it yourself.
    /// </param>
    /// <param name="stoppingToken">
    /// Cancelled when the work has to stop: the lease was lost, or the host stops. Where it matters which, ask <paramref name="lease"/>.
    /// On loss, stop within the safety margin: after that another node may be leading. <see cref="ILease.Lost"/> itself turns
    /// cancelled on time also when the thread pool is exhausted; this token needs a thread of the pool for that.
    /// </param>
    /// <returns>
    /// A task that ends when the work has really stopped: nothing that needs the lock may go on after it. When it ends
    /// without a loss or a stop the service is done for this term, and <see cref="ExclusiveServiceOptions.AfterCompletion"/> says what comes next.
    /// An <see cref="OperationCanceledException"/> after <paramref name="stoppingToken"/> was cancelled is a normal end. Any other
    /// exception is logged, the lock is released so that another node may try, and this node comes back after a backoff.
    /// </returns>
    protected abstract Task ExecuteExclusiveAsync(ILockLease lease, CancellationToken stoppingToken);

    internal Task RunTermAsync(ILockLease lease, CancellationToken stoppingToken) => ExecuteExclusiveAsync(lease, stoppingToken);
}
