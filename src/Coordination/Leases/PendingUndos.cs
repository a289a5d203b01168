namespace Coordination.Leases;

/// <summary>
/// The undos that wait for the store, up to a bound: one more drops the oldest, for what that is for lapses by itself soonest. Safe for use by several threads.
/// </summary>
internal sealed class PendingUndos(int capacity)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<CancellationTokenSource> _pending = new();
    private long _dropped;

    /// <summary>How many were dropped.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>How many may wait.</summary>
    public int Capacity => capacity;

    /// <summary>Adds an undo.</summary>
    /// <returns>It, whose token is cancelled when it is dropped.</returns>
    public LinkedListNode<CancellationTokenSource> Add()
    {
        CancellationTokenSource? oldest = null;
        LinkedListNode<CancellationTokenSource> added;
        lock (_gate)
        {
            if (_pending.Count >= capacity)
            {
                oldest = _pending.First!.Value;
                _pending.RemoveFirst();
                _dropped++;
            }

            added = _pending.AddLast(new CancellationTokenSource());
        }

        oldest?.Cancel();
        return added;
    }

    /// <summary>Removes an undo that has ended.</summary>
    public void Remove(LinkedListNode<CancellationTokenSource> undo)
    {
        lock (_gate)
        {
            undo.List?.Remove(undo);
        }
    }
}
