using System.Collections.Concurrent;

namespace FlashSale.Checkouts;

/// <summary>What the checkouts of one worker count in a round.</summary>
internal sealed class Tally
{
    private readonly ConcurrentQueue<TimeSpan> _waits = new();
    private int _foreignDeletions;
    private int _reentries;

    public IReadOnlyCollection<TimeSpan> Waits => _waits;

    public int ForeignDeletions => _foreignDeletions;

    public int Reentries => _reentries;

    public void CountWait(TimeSpan wait) => _waits.Enqueue(wait);

    public void CountForeignDeletion() => Interlocked.Increment(ref _foreignDeletions);

    public void CountReentry() => Interlocked.Increment(ref _reentries);
}
