namespace Coordination.Hosting.Periodic;

/// <summary>
/// The slots of one periodic service that failed in a row in the cluster, as far as this node knows: how its own runs ended, and how the last run of another node did, which
/// that says in the name of its next one. The store tells the name to each node that asks for a slot which was run, so nobody asks for it.
/// </summary>
/// <param name="memory">How long after the last failure that it heard of the service counts as well again.</param>
/// <param name="most">How many it remembers.</param>
/// <param name="time">The clock.</param>
internal sealed class ClusterFailures(TimeSpan memory, int most, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly SortedSet<DateTimeOffset> _failed = [];
    private DateTimeOffset _lastSuccess = DateTimeOffset.MinValue;
    private long _lastAt;

    public int InARow
    {
        get
        {
            lock (_gate)
            {
                return time.GetElapsedTime(_lastAt) > memory ? 0 : _failed.Count;
            }
        }
    }

    /// <summary>A run has ended, by a failure or well. May be told of one several times, and late.</summary>
    public void Ended(PeriodicRunEnd run)
    {
        lock (_gate)
        {
            if (run.Slot <= _lastSuccess)
            {
                return;
            }

            if (!run.HasFailed)
            {
                _lastSuccess = run.Slot;
                _failed.RemoveWhere(slot => slot <= run.Slot);
            }
            else if (_failed.Add(run.Slot))
            {
                _lastAt = time.GetTimestamp();
                if (_failed.Count > most)
                {
                    _failed.Remove(_failed.Min);
                }
            }
        }
    }
}
