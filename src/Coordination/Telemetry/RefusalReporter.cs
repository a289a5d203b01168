using Coordination.Stores;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>
/// Says what the store refuses for good: once for each reason, until that has not been heard for a while. A refusal is no outage, for the store has
/// replied.
/// </summary>
internal sealed class RefusalReporter(string storeName, TimeProvider time, ILogger logger)
{
    /// <summary>How many refusals and how many reasons are kept: a right that is missing may concern every lock there is.</summary>
    private const int Capacity = 100;

    /// <summary>For how long a refusal says anything when the same was not asked again.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    /// <summary>For how long a reason must not be heard, when nothing is refused for it any more, before it is said again.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<Asked, Refusal> _refusals = [];

    /// <summary>The reasons that were said, and when each was heard last.</summary>
    private readonly Dictionary<RefusalReason, TimeSpan> _reasons = [];
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
    public void Refused(StoreCall call, int shard, string? lockName, LockStoreException error)
    {
        var asked = Asked.By(call, shard, lockName);
        var reason = RefusalReason.Of(error, lockName);
        lock (_gate)
        {
            Forget();
            if (_refusals.ContainsKey(asked) || _refusals.Count < Capacity)
            {
                _refusals[asked] = new Refusal(time.Uptime, reason, error.Message);
                _hasRefused = true;
            }

            var isSaid = _reasons.ContainsKey(reason);
            if (!isSaid && _reasons.Count >= Capacity)
            {
                return;
            }

            _reasons[reason] = time.Uptime;
            if (isSaid)
            {
                return;
            }
        }

        Log.StoreRefuses(logger, storeName, error.Message);
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
        ForgetReasons();
    }

    private void ForgetReasons()
    {
        var before = time.Uptime - Quiet;
        foreach (var (reason, heardAt) in _reasons)
        {
            if (heardAt < before && !_refusals.Values.Any(refusal => refusal.Reason == reason))
            {
                _reasons.Remove(reason);
            }
        }
    }

    /// <summary>What is refused or not: the same thing for each lock by itself, but for a renewal, which is for many of them.</summary>
    private readonly record struct Asked(StoreCall Call, int Shard, string? LockName)
    {
        public static Asked By(StoreCall call, int shard, string? lockName) => call == StoreCall.Renewal ? new(call, shard, null) : new(call, 0, lockName);
    }

    private readonly record struct Refusal(TimeSpan At, RefusalReason Reason, string Error);
}
