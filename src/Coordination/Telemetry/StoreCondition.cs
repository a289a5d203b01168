using Coordination.Stores;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>
/// What a node knows of its store by the last calls that it made for its locks: whether one is there to be acquired, and if not, why. It asks nothing.
/// </summary>
/// <remarks>A singleton of the container, for packages that build on this one. Safe for use by several threads.</remarks>
public sealed class StoreCondition : IDisposable
{
    /// <summary>For how long a call that succeeded says anything about the store.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly OutageReporter _outages;
    private readonly RefusalReporter _refusals;
    private readonly BusyReporter _busy;
    private long _succeededAt = long.MinValue;
    private volatile bool _isDisposed;

    internal StoreCondition(ILockStore store, TimeProvider time, ILogger logger)
    {
        _time = time;
        _outages = new OutageReporter(store.Name, store.ShardOf, time, logger);
        _refusals = new RefusalReporter(store.Name, time, logger);
        _busy = new BusyReporter(time, logger);
    }

    /// <summary>Whether any call of the last minute says how the store does.</summary>
    public bool IsKnown => Trouble is not null || Interlocked.Read(ref _succeededAt) is var at && at != long.MinValue && _time.Uptime - new TimeSpan(at) <= Memory;

    /// <summary>
    /// Why locks, or some of them, cannot be acquired for now: a part of the store does not reply, or replies that it cannot; or it refuses for good. Holds no secret.
    /// </summary>
    /// <value>Null when nothing of the kind is known.</value>
    public string? Trouble => _outages.Reason ?? _refusals.Reason;

    /// <summary>Whether a success has nothing to end.</summary>
    internal bool IsClear => !_outages.IsAway && !_refusals.HasRefused;

    /// <summary>Ends the reports.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _outages.Dispose();
    }

    /// <summary>Learns that a call succeeded while nothing was the matter.</summary>
    /// <param name="sentAt">When it was sent.</param>
    internal void Succeeded(TimeSpan sentAt) => Interlocked.Exchange(ref _succeededAt, sentAt.Ticks);

    /// <summary>Learns that a call succeeded.</summary>
    internal void Succeeded(StoreCall call, TimeSpan sentAt, int shard, string? lockName)
    {
        Succeeded(sentAt);
        _outages.Replied(shard, call);
        _refusals.Passed(call, shard, lockName);
    }

    /// <summary>Learns that a call failed.</summary>
    internal void Failed(StoreCall call, int shard, string? lockName, LockStoreException error)
    {
        if (_isDisposed)
        {
            // The node ends, and its connection with it: what fails now says nothing of the store.
            return;
        }

        if (error.IsLockBusy)
        {
            // It has replied, and others may have a reply of another kind.
            _outages.Replied(shard, call);
            _busy.Failed(lockName, error.Message);
        }
        else if (error.IsTransient)
        {
            _outages.Failed(shard, call, lockName, error.Cause ?? error.Message);
        }
        else
        {
            // It has replied, though not what was hoped for.
            _outages.Replied(shard, call);
            _refusals.Refused(call, shard, lockName, error);
        }
    }
}
