namespace Coordination.Leases;

/// <summary>When this process did not run, as the watchdog found when it woke too late: what the loss of a lease tells of. Safe for use by several threads.</summary>
internal sealed class Stalls
{
    private const int Kept = 16;

    /// <summary>What a busy machine takes all the time.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly Queue<(TimeSpan From, TimeSpan Until)> _stalls = [];

    /// <summary>Learns that the watchdog woke.</summary>
    /// <param name="dueAt">When it was to wake at the latest.</param>
    /// <param name="now">When it did.</param>
    public void Woke(TimeSpan dueAt, TimeSpan now)
    {
        if (now - dueAt < Least)
        {
            return;
        }

        lock (_gate)
        {
            if (_stalls.Count == Kept)
            {
                _stalls.Dequeue();
            }

            _stalls.Enqueue((dueAt, now));
        }
    }

    /// <summary>The longest time since a moment in which the process did not run.</summary>
    public TimeSpan LongestSince(TimeSpan moment)
    {
        lock (_gate)
        {
            return _stalls.Select(stall => stall.Until - (stall.From > moment ? stall.From : moment)).Append(TimeSpan.Zero).Max();
        }
    }
}
