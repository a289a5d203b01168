using System.Diagnostics.CodeAnalysis;

namespace Coordination.Leases;

/// <summary>An undo that waits for the store.</summary>
/// <param name="lapsesAt">When what it is for lapses by itself.</param>
/// <param name="number">Which it is of all that were ever added.</param>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of.")]
internal sealed class PendingUndo(TimeSpan lapsesAt, long number)
{
    private readonly CancellationTokenSource _dropping = new();

    public TimeSpan LapsesAt => lapsesAt;

    public long Number => number;

    /// <summary>Cancelled when it is dropped.</summary>
    public CancellationToken Dropped => _dropping.Token;

    public void Drop() => _dropping.Cancel();
}
