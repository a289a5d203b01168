using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>
/// Turns the failures of many calls into lines that an operator can live with: an outage is said at once, then when it has
/// lasted 5, 15 and 60 seconds, then every minute, and once when it is over.
/// </summary>
internal sealed class OutageReporter(string storeName, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan[] Steps = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(60)];

    private readonly Lock _gate = new();
    private volatile bool _isAway;
    private TimeSpan _since;
    private TimeSpan _nextLine;

    public bool IsAway => _isAway;

    public void Failed(LockStoreException error)
    {
        TimeSpan elapsed;
        bool begins;
        lock (_gate)
        {
            var now = time.Uptime;
            begins = !_isAway;
            if (begins)
            {
                _isAway = true;
                _since = now;
            }

            elapsed = now - _since;
            if (!begins && elapsed < _nextLine)
            {
                return;
            }

            _nextLine = NextLine(elapsed);
        }

        if (!begins)
        {
            Log.OutageGoesOn(logger, storeName, elapsed, error.Message);
        }
        else if (error.IsTransient)
        {
            Log.OutageBegan(logger, storeName, error.Message);
        }
        else
        {
            Log.StoreRefuses(logger, storeName, error.Message);
        }
    }

    public void Succeeded()
    {
        if (!_isAway)
        {
            return;
        }

        TimeSpan elapsed;
        lock (_gate)
        {
            if (!_isAway)
            {
                return;
            }

            _isAway = false;
            elapsed = time.Uptime - _since;
        }

        Log.OutageEnded(logger, storeName, elapsed);
    }

    private static TimeSpan NextLine(TimeSpan elapsed)
    {
        foreach (var step in Steps)
        {
            if (elapsed < step)
            {
                return step;
            }
        }

        return TimeSpan.FromMinutes(Math.Floor(elapsed.TotalMinutes) + 1);
    }
}
