using Coordination.Stores;

namespace Coordination.Resilience;

/// <summary>
/// When a node may ask a store that is away: five times a second at most, however many calls wait for however many shards, and more often only to renew leases
/// that are too short for that. Not safe for use by several threads.
/// </summary>
/// <remarks>
/// Every 250 ms one call has the turn. The shards take turns, that first whose last one is longest ago; there it is the most urgent call, and each fourth time the
/// least urgent. Beside the turns one renewal and one release may go ahead every 2 s each, so that neither waits for long where acquisitions have the turns; and a
/// renewal of a short lease at the pace that its lease needs.
/// </remarks>
internal sealed class GateTurns
{
    /// <summary>How long after one turn the next comes.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    /// <summary>How long after one call of a kind that went ahead the next may.</summary>
    private static readonly TimeSpan AheadPace = TimeSpan.FromSeconds(2);

    private static readonly StoreCall[] Urgent = [StoreCall.Renewal, StoreCall.Release];

    private readonly TimeSpan[] _aheadAt = [-AheadPace, -AheadPace];
    private TimeSpan _turnAt = -Pace;
    private TimeSpan _shortTurnAt = -Pace;

    /// <summary>A call was sent before it was known that the store is away: that was a turn.</summary>
    public void Count(TimeSpan sentAt) => _turnAt = _shortTurnAt = sentAt > _turnAt ? sentAt : _turnAt;

    /// <summary>The last turn was of no use, or told of a shard that is back: the next comes at once.</summary>
    public void Free() => _turnAt = -Pace;

    /// <summary>Lets pass what is due.</summary>
    /// <param name="queues">What waits. The shard whose last turn is longest ago comes first.</param>
    /// <param name="now">The time.</param>
    /// <returns>When something is due next, and when that may be a renewal; the end of time when nothing waits.</returns>
    public (TimeSpan Next, TimeSpan NextRenewal) LetPass(IReadOnlyCollection<GateQueue> queues, TimeSpan now)
    {
        if (TurnDueAt(queues) <= now && queues.Where(queue => !queue.IsEmpty).MinBy(queue => queue.PassedAt) is { } first)
        {
            first.PassOne();
            first.PassedAt = _turnAt = now;
        }
        else if (ShortTurnDueAt(queues) <= now && queues.Where(queue => queue.Pace < Pace).MinBy(queue => queue.PassedAt) is { } shortest)
        {
            shortest.PassShortest();
            shortest.PassedAt = _shortTurnAt = now;
        }

        foreach (var call in Urgent)
        {
            if (AheadDueAt(call) <= now && queues.Where(queue => queue.Has(call)).MinBy(queue => queue.PassedAt) is { } ahead)
            {
                ahead.PassOne(call);
                ahead.PassedAt = _aheadAt[(int)call] = now;
            }
        }

        if (queues.All(queue => queue.IsEmpty))
        {
            return (TimeSpan.MaxValue, TimeSpan.MaxValue);
        }

        var turn = TurnDueAt(queues);
        var renewal = Min(DueAt(queues, StoreCall.Renewal), ShortTurnDueAt(queues));
        return (Min(turn, Min(renewal, DueAt(queues, StoreCall.Release))), renewal);

        TimeSpan DueAt(IReadOnlyCollection<GateQueue> queues, StoreCall call) =>
            queues.Any(queue => queue.Has(call)) ? Min(turn, AheadDueAt(call)) : TimeSpan.MaxValue;
    }

    private TimeSpan TurnDueAt(IReadOnlyCollection<GateQueue> queues) => queues.Count == 0 ? TimeSpan.MaxValue : _turnAt + Pace;

    private TimeSpan ShortTurnDueAt(IReadOnlyCollection<GateQueue> queues) =>
        queues.Count != 0 && queues.Min(queue => queue.Pace) is var pace && pace < Pace ? (_shortTurnAt > _turnAt ? _shortTurnAt : _turnAt) + pace : TimeSpan.MaxValue;

    private TimeSpan AheadDueAt(StoreCall call) => _aheadAt[(int)call] + AheadPace;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
