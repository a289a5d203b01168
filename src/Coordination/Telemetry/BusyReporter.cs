using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>Says that something else keeps a lock busy in the store: once a minute for each lock, as long as calls for it fail.</summary>
internal sealed class BusyReporter(TimeProvider time, ILogger logger)
{
    /// <summary>How many locks are told apart: whoever keeps more of them busy was said often enough.</summary>
    private const int Capacity = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, TimeSpan> _saidAt = new(StringComparer.Ordinal);

    /// <summary>Learns of a failure.</summary>
    public void Failed(string? lockName, string error)
    {
        if (IsDue(lockName ?? string.Empty))
        {
            Log.LockIsBusy(logger, error);
        }
    }

    private bool IsDue(string lockName)
    {
        lock (_gate)
        {
            var now = time.Uptime;
            foreach (var (name, saidAt) in _saidAt)
            {
                if (saidAt + Pause <= now)
                {
                    _saidAt.Remove(name);
                }
            }

            return _saidAt.Count < Capacity && _saidAt.TryAdd(lockName, now);
        }
    }
}
