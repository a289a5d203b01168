namespace Coordination.Hosting.Leadership;

/// <summary>
/// The leaders by one lock, as the store last said. A question tells of all of them; a refusal of a lock that several may hold tells of one. Each counts for as long as its lease lasted
/// when it was seen. Not safe for use by several threads.
/// </summary>
/// <param name="leaseDuration">How long it counts that nobody leads.</param>
/// <param name="time">The clock.</param>
internal sealed class LeaderSights(TimeSpan leaseDuration, TimeProvider time)
{
    /// <summary>How much longer than the leader's lease it counts: whoever waits for its end asks a little later, and has to get a reply.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private List<LeaderSight> _all = [];

    /// <summary>When all who lead were known last, as the clock's timestamp.</summary>
    public long At { get; private set; } = time.GetTimestamp();

    public bool IsEmpty => _all.Count == 0;

    /// <summary>Those that count at this moment.</summary>
    public IEnumerable<LeaderInfo> Leaders => _all.Where(sight => time.GetElapsedTime(sight.At) <= sight.Lasts + Grace).Select(static sight => sight.Leader);

    /// <summary>When the first of their leases ends as it was seen, from now; of nobody, when that is to be looked at again. Less than zero when it has ended.</summary>
    public TimeSpan FirstEndsIn => IsEmpty
        ? leaseDuration - time.GetElapsedTime(At)
        : _all.Min(sight => sight.Lasts - time.GetElapsedTime(sight.At));

    /// <summary>Whether one is known that took the place of a holder: a reply may come late.</summary>
    public bool HaveSuccessorOf(LockHolder holder) => PlaceOf(holder) is { } place && _all.Exists(sight => sight.Place == place && sight.Leader.FencingToken > holder.FencingToken);

    /// <summary>Learns of all who lead.</summary>
    /// <param name="holders">Who do.</param>
    /// <param name="askedAt">When they were asked for: what was seen later stays.</param>
    /// <returns>What is known now.</returns>
    public IReadOnlyList<LeaderSight> Set(IEnumerable<LockHolder> holders, long askedAt)
    {
        List<LeaderSight> seen = [.. holders.Select(See)];
        seen.AddRange(_all.Where(known => known.At > askedAt && !seen.Exists(sight => IsInPlaceOf(sight, known))));
        (_all, At) = (seen, time.GetTimestamp());
        return _all;
    }

    /// <summary>Learns of one of several who lead.</summary>
    public LeaderSight Add(LockHolder holder)
    {
        var seen = See(holder);
        _all.RemoveAll(known => IsInPlaceOf(seen, known));
        _all.Add(seen);
        return seen;
    }

    /// <summary>Knows nobody.</summary>
    public void Clear() => (_all, At) = ([], time.GetTimestamp());

    /// <summary>Forgets the one in a place, which another has now.</summary>
    public void Drop(int place) => _all.RemoveAll(sight => sight.Place == place);

    /// <summary>Forgets those whose leases have ended as they were seen.</summary>
    public void DropEnded()
    {
        _all.RemoveAll(sight => time.GetElapsedTime(sight.At) >= sight.Lasts);
        if (IsEmpty)
        {
            At = time.GetTimestamp();
        }
    }

    public static LeaderInfo Describe(LockHolder holder) =>
        new() { NodeId = holder.Owner.NodeId, FencingToken = holder.FencingToken, Instance = holder.Permit ?? 0, Since = holder.Since, Note = holder.Note, Rank = holder.Rank };

    public static int? PlaceOf(LockHolder holder) => holder.Share is null ? 0 : holder.Permit;

    private static bool IsInPlaceOf(LeaderSight sight, LeaderSight known) =>
        sight.Leader.FencingToken == known.Leader.FencingToken || (sight.Place is not null && sight.Place == known.Place);

    private LeaderSight See(LockHolder holder) => new(Describe(holder), PlaceOf(holder), time.GetTimestamp(), holder.TimeToLive);
}
