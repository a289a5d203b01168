namespace Coordination.Leases;

/// <summary>
/// The undos that wait for the store, up to a bound: one more drops the one whose grant lapses by itself soonest. Safe for use by several threads.
/// </summary>
internal sealed class PendingUndos(int capacity)
{
    private readonly Lock _gate = new();
    private readonly SortedSet<PendingUndo> _pending = new(Comparer<PendingUndo>.Create((a, b) => (a.LapsesAt, a.Number).CompareTo((b.LapsesAt, b.Number))));
    private long _added;
    private long _dropped;

    /// <summary>How many were dropped.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>How many may wait.</summary>
    public int Capacity => capacity;

    /// <summary>Adds an undo.</summary>
    /// <param name="lapsesAt">When what it is for lapses by itself.</param>
    /// <returns>It, whose token is cancelled when it is dropped, which it may be already.</returns>
    public PendingUndo Add(TimeSpan lapsesAt)
    {
        var added = new PendingUndo(lapsesAt, Interlocked.Increment(ref _added));
        PendingUndo? soonest = null;
        lock (_gate)
        {
            _pending.Add(added);
            if (_pending.Count > capacity)
            {
                soonest = _pending.Min!;
                _pending.Remove(soonest);
                _dropped++;
            }
        }

        soonest?.Drop();
        return added;
    }

    /// <summary>Removes an undo that has ended.</summary>
    public void Remove(PendingUndo undo)
    {
        lock (_gate)
        {
            _pending.Remove(undo);
        }
    }
}
