namespace Coordination.Hosting.Partitions;

/// <summary>
/// Whether no node has come for a moment. Nodes that start at about the same time each change whose share is what: a node begins nothing new until they are there, or has waited long enough. For one that goes
/// nobody waits. For one caller at a time.
/// </summary>
internal sealed class PartitionSettling(TimeSpan balanceInterval, TimeProvider time)
{
    /// <summary>For so many moments it waits at most, however many nodes come one after the other.</summary>
    private const int MomentsAtMost = 3;

    private static readonly TimeSpan LongestMoment = TimeSpan.FromSeconds(1);

    /// <summary>Who comes is seen by then.</summary>
    private readonly TimeSpan _moment = balanceInterval < LongestMoment ? balanceInterval : LongestMoment;

    private HashSet<string> _known = [];
    private long? _firstCame;
    private long _lastCame;

    /// <param name="members">Who takes part now.</param>
    /// <returns>How long it may be until nothing is to be waited for; zero or less for now.</returns>
    public TimeSpan See(IReadOnlyList<PartitionMember> members)
    {
        if (members.Any(member => !_known.Contains(member.NodeId)))
        {
            _lastCame = time.GetTimestamp();
            _firstCame ??= _lastCame;
        }

        _known = [.. members.Select(static member => member.NodeId)];
        if (_firstCame is not { } first)
        {
            return TimeSpan.Zero;
        }

        var left = _moment - time.GetElapsedTime(_lastCame);
        if (left <= TimeSpan.Zero)
        {
            _firstCame = null;
            return left;
        }

        var leftAtMost = (MomentsAtMost * _moment) - time.GetElapsedTime(first);
        return left < leftAtMost ? left : leftAtMost;
    }
}
