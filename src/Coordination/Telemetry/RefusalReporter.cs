using Coordination.Stores;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>
/// Says what the store refuses for good: once, until the reason changes, or the same is not refused any more. A refusal is no outage, for the store
/// has replied.
/// </summary>
internal sealed class RefusalReporter(string storeName, TimeProvider time, ILogger logger)
{
    /// <summary>How many refusals are kept and said at once: a right that is missing may concern every lock there is.</summary>
    private const int Capacity = 100;

    /// <summary>For how long a refusal says anything when the same was not asked again.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<Asked, Refusal> _refusals = [];
    private volatile bool _hasRefused;

    /// <summary>Whether anything is kept.</summary>
    public bool HasRefused => _hasRefused;

    /// <summary>The last refusal that stands; null for none.</summary>
    public string? Reason
    {
        get
        {
            lock (_gate)
            {
                Forget();
                return _refusals.Count == 0 ? null : $"The store '{storeName}' refuses: {_refusals.Values.MaxBy(refusal => refusal.At).Error}";
            }
        }
    }

    /// <summary>Learns of a refusal.</summary>
    public void Refused(StoreCall call, int shard, string? lockName, string error)
    {
        var asked = Asked.By(call, shard, lockName);
        lock (_gate)
        {
            Forget();
            var isSaid = _refusals.Any(known => known.Key.LockName == asked.LockName && known.Value.Error == error);
            if (!_refusals.ContainsKey(asked) && _refusals.Count >= Capacity)
            {
                return;
            }

            _refusals[asked] = new Refusal(time.Uptime, error);
            _hasRefused = true;
            if (isSaid)
            {
                return;
            }
        }

        Log.StoreRefuses(logger, storeName, error);
    }

    /// <summary>Learns that the store does what was asked.</summary>
    public void Passed(StoreCall call, int shard, string? lockName)
    {
        if (_hasRefused)
        {
            lock (_gate)
            {
                _refusals.Remove(Asked.By(call, shard, lockName));
                if (call == StoreCall.Acquisition)
                {
                    // What was refused when an earlier grant was to be undone does not count any more.
                    _refusals.Remove(Asked.By(StoreCall.Release, shard, lockName));
                }

                _hasRefused = _refusals.Count > 0;
            }
        }
    }

    private void Forget()
    {
        var before = time.Uptime - Memory;
        foreach (var (asked, refusal) in _refusals)
        {
            if (refusal.At < before)
            {
                _refusals.Remove(asked);
            }
        }

        _hasRefused = _refusals.Count > 0;
    }

    /// <summary>What is refused or not: the same thing for each lock by itself, but for a renewal, which is for many of them.</summary>
    private readonly record struct Asked(StoreCall Call, int Shard, string? LockName)
    {
        public static Asked By(StoreCall call, int shard, string? lockName) => call == StoreCall.Renewal ? new(call, shard, null) : new(call, 0, lockName);
    }

    private readonly record struct Refusal(TimeSpan At, string Error);
}
