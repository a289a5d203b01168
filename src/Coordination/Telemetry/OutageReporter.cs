using Coordination.Stores;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>
/// Turns the failures of many calls into few log lines: one when an outage begins, one when it has lasted 5, 15 and 60 seconds and then each further minute, as
/// long as calls fail, and one when it is over.
/// </summary>
/// <remarks>
/// <para>A shard of the store is away from its first transient failure on. It is back when it has replied, and then no call failed for one second. Where an acquisition
/// failed, only the reply to an acquisition counts, because a store without memory still extends leases and grants none; where nobody acquires any more, it is back when
/// it replied to everything else for a minute.</para>
/// <para>The outage lasts as long as any shard is away: however many there are, the lines are those of one. A shard that nobody asks for a minute after its last failure is
/// forgotten, with no line: whether it is back, nobody knows.</para>
/// </remarks>
internal sealed class OutageReporter(string storeName, Func<string, int> shardOf, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>How long nothing may fail before an outage is over.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    /// <summary>For how long a failure says anything when the same was not asked again.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan[] Steps = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(60)];

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Away> _away = [];
    private ITimer? _timer;
    private volatile bool _isAway;
    private TimeSpan _since;
    private TimeSpan _nextLine;

    /// <summary>Whether a shard of the store is away.</summary>
    public bool IsAway => _isAway;

    /// <summary>Why the store is away, by the last failure; null where it is not, or has not been asked for long.</summary>
    public string? Reason
    {
        get
        {
            lock (_gate)
            {
                Forget();
                return _away.Count == 0 ? null : $"The store '{storeName}' does not reply{Part}: {_away.Values.MaxBy(away => away.FailedAt).Error}";
            }
        }
    }

    /// <summary>Which part of the store is away; empty for all of one that has no parts.</summary>
    private string Part => _away.Count switch
    {
        1 when _away.ContainsKey(0) => string.Empty,
        1 => $" in its shard {_away.Keys.First()}",
        var count => $" in {count} of its shards",
    };

    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
        }
    }

    /// <summary>Learns of a transient failure.</summary>
    public void Failed(int shard, StoreCall call, string? lockName, string error)
    {
        TimeSpan elapsed;
        string part;
        bool begins;
        lock (_gate)
        {
            var now = time.Uptime;
            Forget();
            begins = _away.Count == 0;
            var grantsNothing = call == StoreCall.Acquisition || (_away.TryGetValue(shard, out var before) && before.GrantsNothing);
            _away[shard] = new Away(now, RepliesSince: null, grantsNothing, lockName, error);
            _isAway = true;
            _since = begins ? now : _since;
            part = Part;
            elapsed = now - _since;
            if (!begins && elapsed < _nextLine)
            {
                return;
            }

            _nextLine = NextLine(elapsed);
        }

        if (begins)
        {
            Log.OutageBegan(logger, storeName, part, error);
        }
        else
        {
            Log.OutageGoesOn(logger, storeName, elapsed, part, error);
        }
    }

    /// <summary>Learns that a shard has replied.</summary>
    public void Replied(int shard, StoreCall call)
    {
        if (!_isAway)
        {
            return;
        }

        lock (_gate)
        {
            Reassign();
            if (!_away.TryGetValue(shard, out var away))
            {
                return;
            }

            var grants = away.GrantsNothing && call == StoreCall.Acquisition;
            if (grants || away.RepliesSince is null)
            {
                _away[shard] = away with { RepliesSince = time.Uptime, GrantsNothing = away.GrantsNothing && !grants };
                SetTimer();
            }
        }
    }

    /// <summary>Ends the outage of each shard that has been quiet for long enough, whether it is asked again or not.</summary>
    private void EndQuiet()
    {
        TimeSpan elapsed;
        lock (_gate)
        {
            var now = time.Uptime;
            var repliesSince = _since;
            foreach (var (shard, away) in _away)
            {
                if (away.RepliesSince is { } since && away.EndsAt <= now)
                {
                    repliesSince = since > repliesSince ? since : repliesSince;
                    _away.Remove(shard);
                }
            }

            SetTimer();
            if (!_isAway || _away.Count > 0)
            {
                return;
            }

            _isAway = false;
            elapsed = repliesSince - _since;
        }

        Log.OutageEnded(logger, storeName, elapsed);
    }

    private void SetTimer()
    {
        if (_away.Values.Min(away => away.EndsAt) is not { } first)
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var left = first - time.Uptime;
        _timer ??= Detached.Run(() => time.CreateTimer(_ => EndQuiet(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _timer.Change(left > TimeSpan.Zero ? left.ToTimer() : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Forgets the shards that nobody has asked for a minute since they failed: whether they are away still, nobody knows.</summary>
    private void Forget()
    {
        var before = time.Uptime - Memory;
        foreach (var (shard, away) in _away)
        {
            if (away.RepliesSince is null && away.FailedAt < before)
            {
                _away.Remove(shard);
            }
        }

        _isAway = _away.Count > 0;
    }

    /// <summary>What failed when the store did not know its shards yet, or knew others, counts for the shard that its lock is in now.</summary>
    private void Reassign()
    {
        foreach (var (shard, away) in _away.ToArray())
        {
            var actual = away.LockName is { } lockName ? shardOf(lockName) : shard;
            if (actual != shard)
            {
                _away.Remove(shard);
                _away.TryAdd(actual, away);
            }
        }
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

    /// <summary>A shard that is away.</summary>
    /// <param name="FailedAt">When the last call failed.</param>
    /// <param name="RepliesSince">Since when it replies; null when the last call failed.</param>
    /// <param name="GrantsNothing">Whether an acquisition failed, and none has had a reply since.</param>
    /// <param name="LockName">The lock whose call failed.</param>
    /// <param name="Error">How it failed.</param>
    private readonly record struct Away(TimeSpan FailedAt, TimeSpan? RepliesSince, bool GrantsNothing, string? LockName, string Error)
    {
        /// <summary>When it is away no more, if nothing fails until then; null when the last call failed.</summary>
        public TimeSpan? EndsAt => RepliesSince + (GrantsNothing ? Memory : Quiet);
    }
}
