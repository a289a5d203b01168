namespace Coordination.Leases;

/// <summary>The leases of a node, in the order in which the watchdog has to look at them. Safe for use by several threads.</summary>
/// <remarks>
/// A heap in an array: each lease knows its place in it, so that none costs an object of its own. The newest lease is mostly the last one due, which
/// is added and removed at the end.
/// </remarks>
internal sealed class LeaseSchedule
{
    private readonly Lock _gate = new();
    private Entry[] _heap = new Entry[16];
    private int _count;
    private long _lastNumber;

    /// <summary>The next moment at which a lease is due; the end of time when there is none.</summary>
    public TimeSpan Next
    {
        get
        {
            lock (_gate)
            {
                return _count == 0 ? TimeSpan.MaxValue : _heap[0].At;
            }
        }
    }

    public IReadOnlyList<Lease> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _heap.Take(_count).Select(entry => entry.Lease)];
            }
        }
    }

    public void Add(Lease lease, TimeSpan at)
    {
        lock (_gate)
        {
            if (_count == _heap.Length)
            {
                Array.Resize(ref _heap, 2 * _count);
            }

            Rise(_count++, new Entry(at, ++_lastNumber, lease));
        }
    }

    /// <summary>Moves a lease to another moment, unless it was removed.</summary>
    public void Move(Lease lease, TimeSpan at)
    {
        lock (_gate)
        {
            if (lease.Place >= 0 && _heap[lease.Place].At != at)
            {
                Put(lease.Place, _heap[lease.Place] with { At = at });
            }
        }
    }

    public void Remove(Lease lease)
    {
        lock (_gate)
        {
            var place = lease.Place;
            if (place < 0)
            {
                return;
            }

            lease.Place = -1;
            var last = _heap[--_count];
            _heap[_count] = default;
            if (place < _count)
            {
                Put(place, last);
            }
        }
    }

    /// <summary>The leases that are due by a moment, the first one first. They stay in the schedule.</summary>
    public List<Lease> DueBy(TimeSpan moment)
    {
        lock (_gate)
        {
            var due = new List<Entry>();
            Collect(0, moment, due);
            due.Sort();
            return due.ConvertAll(static entry => entry.Lease);
        }
    }

    /// <summary>Those that are due hang together, from the top on.</summary>
    private void Collect(int place, TimeSpan moment, List<Entry> due)
    {
        if (place < _count && _heap[place].At <= moment)
        {
            due.Add(_heap[place]);
            Collect((2 * place) + 1, moment, due);
            Collect((2 * place) + 2, moment, due);
        }
    }

    private void Put(int place, Entry entry)
    {
        if (place > 0 && entry.CompareTo(_heap[(place - 1) / 2]) < 0)
        {
            Rise(place, entry);
        }
        else
        {
            Sink(place, entry);
        }
    }

    private void Rise(int place, Entry entry)
    {
        while (place > 0 && entry.CompareTo(_heap[(place - 1) / 2]) < 0)
        {
            Set(place, _heap[(place - 1) / 2]);
            place = (place - 1) / 2;
        }

        Set(place, entry);
    }

    private void Sink(int place, Entry entry)
    {
        while ((2 * place) + 1 < _count)
        {
            var child = (2 * place) + 1;
            if (child + 1 < _count && _heap[child + 1].CompareTo(_heap[child]) < 0)
            {
                child++;
            }

            if (entry.CompareTo(_heap[child]) <= 0)
            {
                break;
            }

            Set(place, _heap[child]);
            place = child;
        }

        Set(place, entry);
    }

    private void Set(int place, Entry entry)
    {
        _heap[place] = entry;
        entry.Lease.Place = place;
    }

    /// <param name="At">When the lease is due.</param>
    /// <param name="Number">Tells apart leases that are due at the same moment.</param>
    /// <param name="Lease">The lease.</param>
    private readonly record struct Entry(TimeSpan At, long Number, Lease Lease) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => At == other.At ? Number.CompareTo(other.Number) : At.CompareTo(other.At);
    }
}
