using System.Diagnostics.CodeAnalysis;
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

    /// <summary>How far apart the moments are at which waiters ask that have heard nothing.</summary>
    private static readonly TimeSpan CommonRhythm = TimeSpan.FromSeconds(1);

    /// <summary>Half of the shortest claim window that can be set: so often it asks at most that missed its turn.</summary>
    private static readonly TimeSpan MinRhythm = TimeSpan.FromMilliseconds(25);

    /// <summary>
    /// Two clocks that are set right while they run, each by 500 millionths at most, as the kernel does it (adjtimex(2), time constant of NTP). One that is slewed faster than that, as
    /// chrony can be told to, is as one that is stepped.
    /// </summary>
    private const double SlowestPace = 1 - 0.001;

    /// <summary>More than the resolution of either clock.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(1);

    /// <summary>The token of the holder that this one was the first to wait for; null while others are before it.</summary>
    private long? _firstBehind;
    private int _missedTurns;

    /// <summary>When it was told last, and so had asked before, that another holds the lock: by this node's clock and by the store's. Null while nothing is known.</summary>
    private LastAsk? _lastAsk;
    private TakenOver? _takenOver;

    /// <summary>Whether it was told, since it learned last who holds the lock, that the lock was passed to another: then it has not missed its own turn.</summary>
    private volatile bool _isPassedBy;

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

    /// <summary>Learns that the lock may be free after some time, and asks again then.</summary>
    /// <param name="delay">The time.</param>
    /// <param name="isPassedBy">Whether it is told so because the lock was passed to another.</param>
    public void AskAgainIn(TimeSpan delay, bool isPassedBy)
    {
        _isPassedBy |= isPassedBy;
        WakeIn(delay);
    }

    /// <summary>Learns that the lock was handed over to this waiter, and wakes it.</summary>
    /// <param name="handover">How.</param>
    /// <param name="provenAt">A moment of this node before the handover; null where that is to be proven from the waiter's last ask.</param>
    public void TakeOver(LockHandover handover, ClockReading? provenAt)
    {
        Volatile.Write(ref _takenOver, new TakenOver(handover, provenAt));
        Wake.Set();
    }

    /// <summary>The connection was away: nothing is proven by what was asked before.</summary>
    public void ForgetLastAsk() => Volatile.Write(ref _lastAsk, null);

    /// <summary>
    /// Looks whether the lock was handed over to this waiter, so that it holds it before it has claimed it. Its deadline counts from a moment that is proven to lie
    /// before the handover: the waiter asked at a moment of its own clock, and the reply named the store's time, which was no earlier. So the
    /// handover was later than that moment by the difference of the store's two times at least, but for the difference in pace of two clocks. Both are of one
    /// clock of the store: another server may have taken over, with a clock that is ahead. However late the notification comes, it proves less, and never too much.
    /// </summary>
    /// <param name="handover">How it was handed over.</param>
    /// <param name="provenAt">That moment.</param>
    /// <param name="isClaimed">Whether the store counts it as claimed.</param>
    public bool TryTakeOver([NotNullWhen(true)] out LockHandover? handover, out ClockReading provenAt, out bool isClaimed)
    {
        var takenOver = Interlocked.Exchange(ref _takenOver, null);
        (handover, provenAt, isClaimed) = (takenOver?.Handover, takenOver?.ProvenAt ?? default, takenOver?.ProvenAt is not null);
        if (handover is null || handover.Entry != Request.Entry || Request.Occurrence is not null)
        {
            // An occurrence is begun in the step of the claim.
            return false;
        }

        if (isClaimed)
        {
            return true;
        }

        if (Volatile.Read(ref _lastAsk) is not { } asked || handover.StoreClock != asked.StoreClock || handover.At < asked.StoreTime)
        {
            return false;
        }

        var since = (handover.At - asked.StoreTime) * SlowestPace - Rounding;
        provenAt = asked.At with { Uptime = asked.At.Uptime + since };

        // Later than now is not possible: the clock of the store was set.
        return provenAt.Uptime <= time.Uptime;
    }

    /// <summary>Learns that another holds the lock.</summary>
    /// <returns>How long to sleep until the next ask, if nothing is heard meanwhile.</returns>
    public TimeSpan Refused(TimedReply<AcquireReply> timed)
    {
        var reply = timed.Reply;
        Request = Request.Wait && !Request.IsQueued ? Request with { IsQueued = true } : Request;
        Volatile.Write(ref _lastAsk, reply.StoreTime is { } storeTime ? new LastAsk(timed.SentAt, storeTime, reply.StoreClock) : null);
        // It was the first behind one holder, and now another holds the lock: its turn came, its claim window ended, and it heard of neither.
        // That may be so each time, for ever. So until it has the lock it asks within the claim window, whatever it hears. The window is that of
        // the node that hands over, which may be shorter than this node's: each turn that is missed again halves what is taken for it.
        var lastToken = reply.LastToken ?? reply.Holder?.FencingToken;
        // But one whose turn was another's, which a holder had named as its successor, was told to ask again, as those behind are.
        var isPassedBy = _isPassedBy;
        _isPassedBy = false;
        _missedTurns += _firstBehind is { } token && !isPassedBy && MissedTurn(reply, token, lastToken) ? 1 : 0;
        _firstBehind = reply.WaitersBefore > 0 ? null : IsUpgraded(reply) ? _firstBehind ?? lastToken : lastToken;
        var spread = Min(reply.WaitersBefore * WakeSpread, MaxWakeSpread);
        var untilExpiry = Min(reply.Holder?.TimeToLive ?? TimeSpan.Zero, MaxSleep);

        // Where readers have the lock, one that waits to write keeps out others who would fit. So each shows that it is alive within a claim window, and looks whether those before it are.
        // Of what lasts for a claim window the holder may not have claimed it, and release it at once: then the turn of the next one, told or not, ends a claim window from now.
        var ownTurn = Request.ClaimWindow * 0.9;
        untilExpiry = reply.WaitersBefore == 0 && untilExpiry <= Request.ClaimWindow ? Min(untilExpiry, ownTurn) : untilExpiry;
        untilExpiry = (reply.Holder?.Share?.FitsBesideSome == true ? Min(untilExpiry, Request.ClaimWindow) : untilExpiry) + WakeAfterExpiry + spread;
        return _missedTurns == 0 ? WithOthers(untilExpiry) : Min(untilExpiry, Max(Request.ClaimWindow / Math.Pow(2, _missedTurns), MinRhythm));
    }

    /// <summary>
    /// Whether its turn came since it was the first to wait, with a token that was the last one then. An upgrade is granted before all who wait and takes nobody's turn. So while there is
    /// one, nothing can be told; and the turn of who wants to write came only if all those have gone who had the lock then.
    /// </summary>
    private bool MissedTurn(AcquireReply reply, long token, long? lastToken) =>
        !Request.AllowBarging && !IsUpgraded(reply) && (Request.Share?.Kind == LockShareKind.Write ? reply.Holder?.FencingToken > token : lastToken is not null && lastToken != token);

    private static bool IsUpgraded(AcquireReply reply) => reply.Holder?.Share?.Kind == LockShareKind.Upgrade;

    /// <summary>
    /// A little sooner, at a moment that the other waiters of this node have, too: so that requests while nothing happens travel together. The holder has renewed its
    /// lease by then; one that has not, and so may be dead, is asked for again when its lease ends.
    /// </summary>
    private TimeSpan WithOthers(TimeSpan sleep)
    {
        if (sleep < 2 * CommonRhythm)
        {
            return sleep;
        }

        var wakesAt = time.Uptime + sleep;
        return sleep - new TimeSpan(wakesAt.Ticks % CommonRhythm.Ticks);
    }

    private sealed record LastAsk(ClockReading At, DateTimeOffset StoreTime, long StoreClock);

    private sealed record TakenOver(LockHandover Handover, ClockReading? ProvenAt);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
