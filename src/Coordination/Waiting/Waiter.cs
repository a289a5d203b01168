using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Waiting;

/// <summary>
/// A place of this node in the store's queue of a lock: the request that it asks with, and when it asks again. Passed from call to call
/// until one of them has the lock. Not safe for use by several threads, except for <see cref="Wake"/>.
/// </summary>
internal sealed class Waiter(AcquireRequest request, TimeProvider time)
{
    /// <summary>How long after the holder's time is up a waiter asks again, and how much later each one behind it does.</summary>
    private static readonly TimeSpan WakeAfterExpiry = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan WakeSpread = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan MaxWakeSpread = TimeSpan.FromMilliseconds(200);

    /// <summary>How long after a failure it asks again. While the store is away it waits at the gate, and nowhere else for long.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>After this time it asks again whatever the store said: an operator who deletes a key tells nobody.</summary>
    private static readonly TimeSpan MaxSleep = TimeSpan.FromMinutes(1);

    /// <summary>Half of the shortest claim window that can be set: so often it asks at most that missed its turn.</summary>
    private static readonly TimeSpan MinRhythm = TimeSpan.FromMilliseconds(25);

    /// <summary>The token of the holder that this one was the first to wait for; null while others are before it.</summary>
    private long? _firstBehind;
    private int _missedTurns;

    // Most requests are granted before anybody sleeps.
    private Signal? _wake;

    public AcquireRequest Request { get; private set; } = request;

    /// <summary>Whether the store may have applied the request, so that it has to be undone if nobody goes on with it.</summary>
    public bool MayBeApplied => Sending.MayBeApplied;

    /// <summary>Counts how often it was sent without anybody having what it is for.</summary>
    public Sending Sending { get; } = new();

    /// <summary>Ends the sleep until the next ask: the lock was handed over to this waiter, or notifications may have been missed.</summary>
    public Signal Wake => _wake ?? Interlocked.CompareExchange(ref _wake, new Signal(time), null) ?? _wake;

    /// <summary>Joins the store's queue with the next ask.</summary>
    public void Queue() => Request = Request.Wait ? Request : Request with { Wait = true };

    /// <summary>Asks again after some time at the latest: the lock may be free then.</summary>
    public void WakeIn(TimeSpan delay)
    {
        if (delay > TimeSpan.Zero)
        {
            Wake.SetIn(Min(delay, MaxSleep) + WakeAfterExpiry);
        }
        else
        {
            Wake.Set();
        }
    }

    /// <summary>Learns that another holds the lock.</summary>
    /// <returns>How long to sleep until the next ask, if nothing is heard meanwhile.</returns>
    public TimeSpan Refused(AcquireReply reply)
    {
        // It was the first behind one holder, and now another holds the lock: its turn came, its claim window ended, and it heard of neither.
        // That may be so each time, for ever. So until it has the lock it asks within the claim window, whatever it hears. The window is that of
        // the node that hands over, which may be shorter than this node's: each turn that is missed again halves what is taken for it.
        _missedTurns += _firstBehind is { } token && reply.Holder is { } holder && holder.FencingToken != token && !Request.AllowBarging ? 1 : 0;
        _firstBehind = reply.WaitersBefore == 0 ? reply.Holder?.FencingToken : null;
        var spread = Min(reply.WaitersBefore * WakeSpread, MaxWakeSpread);
        var untilExpiry = Min(reply.Holder?.TimeToLive ?? TimeSpan.Zero, MaxSleep) + WakeAfterExpiry + spread;
        return _missedTurns == 0 ? untilExpiry : Min(untilExpiry, Max(Request.ClaimWindow / Math.Pow(2, _missedTurns), MinRhythm));
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
