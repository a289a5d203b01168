namespace Coordination.Hosting.Leadership;

/// <summary>Who led before, by the number of the instance. Not safe for use by several threads.</summary>
/// <param name="time">The clock.</param>
internal sealed class Predecessors(TimeProvider time)
{
    private readonly Dictionary<int, Entry> _last = [];
    private long _seenAt;

    /// <summary>Learns of other leaders.</summary>
    /// <param name="seen">Who they are.</param>
    /// <param name="areAll">Whether there are no others: those that were known have ended.</param>
    public void Saw(IReadOnlyList<LeaderSight> seen, bool areAll)
    {
        var now = time.GetTimestamp();
        foreach (var sight in seen)
        {
            if (sight.Place is { } place)
            {
                var endsAt = sight.At + (long)(sight.Lasts.TotalSeconds * time.TimestampFrequency);
                _last[place] = new Entry(new Predecessor(sight.Leader, PredecessorEnd.Unknown), sight.At, endsAt);
                _seenAt = Math.Max(_seenAt, sight.At);
            }
        }

        if (areAll)
        {
            // Before the end of its lease it can only have been passed on.
            foreach (var (place, entry) in _last.Where(last => last.Value.IsOpen && now < last.Value.EndsAt && !seen.Any(sight => sight.Place == last.Key)).ToList())
            {
                _last[place] = entry with { Who = entry.Who with { End = PredecessorEnd.PassedOn } };
            }
        }
    }

    /// <summary>One that released the lock, which the store keeps for the rest of its time.</summary>
    public void SawReleased(LeaderInfo before) => _last[before.Instance] = new Entry(new Predecessor(before, PredecessorEnd.Released), default, default);

    /// <summary>A term of this node ended.</summary>
    public void OwnEnded(Predecessor own) => _last[own.Leader.Instance] = new Entry(own, default, default);

    /// <summary>Whom a term follows that begins now.</summary>
    /// <param name="instance">The number of its instance.</param>
    /// <returns>Null where nobody is known.</returns>
    public Predecessor? Of(int instance) => !_last.TryGetValue(instance, out var last) ? null
        : !last.IsOpen ? last.Who
        : time.GetTimestamp() < last.EndsAt ? last.Who with { End = PredecessorEnd.PassedOn }

        // Of one of several nothing was heard since, and its lease may have been renewed.
        : last.SeenAt == _seenAt ? last.Who with { End = PredecessorEnd.RanOut }
        : last.Who;

    private readonly record struct Entry(Predecessor Who, long SeenAt, long EndsAt)
    {
        public bool IsOpen => Who.End == PredecessorEnd.Unknown;
    }
}
