using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Coordination.Resilience;

/// <summary>
/// Ends an attempt for the store when nobody waits for it any more: its time was up, or its caller has gone. Without that a request which the store
/// has not sent yet, as before its connection stands, would be sent after it was undone.
/// </summary>
/// <remarks>Reused, for most attempts end by their reply: a source of its own for each would be most of what a call allocates.</remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of.")]
internal sealed class AttemptCancellation
{
    private const int Kept = 64;

    private static readonly ConcurrentQueue<AttemptCancellation> Pool = new();

    private readonly CancellationTokenSource _source = new();
    private CancellationTokenRegistration _registration;
    private CancellationToken _caller;

    private AttemptCancellation()
    {
    }

    public CancellationToken Token => _source.Token;

    /// <param name="caller">Ends the attempt, too.</param>
    public static AttemptCancellation Begin(CancellationToken caller)
    {
        var attempt = Pool.TryDequeue(out var used) ? used : new AttemptCancellation();
        attempt._caller = caller;
        attempt._registration = caller.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), attempt._source);
        return attempt;
    }

    /// <summary>Nobody waits for it any more.</summary>
    /// <param name="isDone">Whether the store is done with it. If not it is cancelled, and never used again.</param>
    public void End(bool isDone)
    {
        // Waits for no callback that runs just then. What it cancels is not used again.
        var isCancelled = _caller.CanBeCanceled && !_registration.Unregister();
        if (!isDone)
        {
            // What a store does about it is no business of whoever stopped waiting.
            _ = _source.CancelAsync();
        }
        else if (!isCancelled && _source.TryReset() && Pool.Count < Kept)
        {
            Pool.Enqueue(this);
        }
    }
}
