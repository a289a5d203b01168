namespace Coordination.Leases;

/// <summary>The leases of a node, in the order in which the watchdog has to look at them. Safe for use by several threads.</summary>
internal sealed class LeaseSchedule
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Lease, Entry> _entries = [];
    private readonly SortedSet<Entry> _order = [];
    private long _lastNumber;

    /// <summary>The next moment at which a lease is due; the end of time when there is none.</summary>
    public TimeSpan Next
    {
        get
        {
            lock (_gate)
            {
                return _order.Count == 0 ? TimeSpan.MaxValue : _order.Min.At;
            }
        }
    }

    public IReadOnlyList<Lease> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries.Keys];
            }
        }
    }

    public void Add(Lease lease, TimeSpan at)
    {
        lock (_gate)
        {
            var entry = new Entry(at, ++_lastNumber, lease);
            _entries.Add(lease, entry);
            _order.Add(entry);
        }
    }

    /// <summary>Moves a lease to another moment, unless it was removed.</summary>
    public void Move(Lease lease, TimeSpan at)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(lease, out var entry) && entry.At != at)
            {
                _order.Remove(entry);
                _entries[lease] = entry = entry with { At = at };
                _order.Add(entry);
            }
        }
    }

    public void Remove(Lease lease)
    {
        lock (_gate)
        {
            if (_entries.Remove(lease, out var entry))
            {
                _order.Remove(entry);
            }
        }
    }

    /// <summary>The leases that are due by a moment. They stay in the schedule.</summary>
    public List<Lease> DueBy(TimeSpan moment)
    {
        lock (_gate)
        {
            var due = new List<Lease>();
            foreach (var entry in _order)
            {
                if (entry.At > moment)
                {
                    break;
                }

                due.Add(entry.Lease);
            }

            return due;
        }
    }

    /// <param name="At">When the lease is due.</param>
    /// <param name="Number">Tells apart leases that are due at the same moment.</param>
    /// <param name="Lease">The lease.</param>
    private readonly record struct Entry(TimeSpan At, long Number, Lease Lease) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => At == other.At ? Number.CompareTo(other.Number) : At.CompareTo(other.At);
    }
}
