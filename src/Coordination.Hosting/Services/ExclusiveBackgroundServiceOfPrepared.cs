using Coordination.Hosting.Terms;

namespace Coordination;

/// <summary>
/// An <see cref="ExclusiveBackgroundService"/> that stands by warm: it prepares what its work needs, such as a cache that takes long to load, before its node
/// contends, so that a takeover does not wait for it. Registered in the same way.
/// </summary>
/// <typeparam name="TPrepared">What is prepared. Where it is <see cref="IAsyncDisposable"/> or <see cref="IDisposable"/>, it is disposed with its term.</typeparam>
/// <remarks>
/// A node that is still preparing does not stand in the queue, and leads only if it has prepared, so with one node nobody leads meanwhile. It prepares again after each of its terms: what it
/// prepared while it stood by may be old when it leads, by as long as it stood by. Have the work bring it up to date.
/// </remarks>
/// <example>
/// <code>
/// public sealed class Pricing(ICatalog catalog) : ExclusiveBackgroundService&lt;PriceCache&gt;
/// {
///     protected override Task&lt;PriceCache&gt; PrepareAsync(CancellationToken cancellationToken) => PriceCache.LoadAsync(catalog, cancellationToken);
///
///     protected override async Task ExecuteExclusiveAsync(ExclusiveTerm term, PriceCache prepared, CancellationToken stoppingToken) { … }
/// }
/// </code>
/// </example>
public abstract class ExclusiveBackgroundService<TPrepared> : ExclusiveBackgroundService
{
    internal sealed override bool Prepares => true;

    /// <summary>
    /// Prepares a term. Called before the first one and after each, before this node contends, and not again until the result has been used. No lock is held: other nodes prepare, and lead,
    /// at the same time.
    /// </summary>
    /// <param name="cancellationToken">Cancelled when the host stops, and when this node may not lead any more.</param>
    /// <returns>
    /// What the next term is given. It is disposed after that term, before the lock is released; and, where there was no term, when the host stops or the node may not lead any more.
    /// What this throws is a failure as that of the work is: it is logged, counts for the health check, and the node prepares again after a backoff.
    /// </returns>
    protected abstract Task<TPrepared> PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Does the work of one term, as <see cref="ExclusiveBackgroundService.ExecuteExclusiveAsync"/> does.</summary>
    /// <param name="term">The term.</param>
    /// <param name="prepared">What <see cref="PrepareAsync"/> returned, for this term alone.</param>
    /// <param name="stoppingToken">Cancelled when the work has to stop.</param>
    /// <returns>A task that ends when the work has really stopped.</returns>
    protected abstract Task ExecuteExclusiveAsync(ExclusiveTerm term, TPrepared prepared, CancellationToken stoppingToken);

    /// <summary>Does the work of one term with what was prepared for it. A term that another service was prepared for, as where a test or a decorator stands around this one, prepares first.</summary>
    /// <param name="term">The term.</param>
    /// <param name="stoppingToken">Cancelled when the work has to stop.</param>
    protected sealed override async Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        ArgumentNullException.ThrowIfNull(term);
        if (term.Prepared is { } prepared && prepared.IsOf(this))
        {
            await ExecuteExclusiveAsync(term, (TPrepared)prepared.Content!, stoppingToken).ConfigureAwait(false);
            return;
        }

        var own = await PrepareTermAsync(stoppingToken).ConfigureAwait(false);
        await using (own!.ConfigureAwait(false))
        {
            await ExecuteExclusiveAsync(term, (TPrepared)own!.Content!, stoppingToken).ConfigureAwait(false);
        }
    }

    internal sealed override async Task<Prepared?> PrepareTermAsync(CancellationToken cancellationToken) =>
        new Prepared(this, await PrepareAsync(cancellationToken).ConfigureAwait(false));
}
