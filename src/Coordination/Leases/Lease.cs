using System.Diagnostics.CodeAnalysis;
using Coordination.Nodes;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;

namespace Coordination.Leases;

/// <summary>
/// A granted lock on the holder's side: a state machine with a deadline. It makes no call and starts no timer; the watchdog and the keeper
/// tell it what they learn. Safe for use by several threads, without a lock.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of, and its token outlives the lease.")]
internal sealed partial class Lease
{
    private static readonly Task<bool> NoRenewal = Task.FromResult(true);

    private readonly TimeProvider _time;
    private readonly LeaseTelemetry _telemetry;
    private readonly TimeSpan _grantedAt;

    /// <summary>The end of time where nothing limits it.</summary>
    private readonly TimeSpan _renewUntil;

    /// <summary>The end of time where no progress needs to be reported.</summary>
    private readonly TimeSpan _progressTimeout;
    private LeaseMoment _moment;
    private long _reportedAt;
    private CancellationTokenSource? _lost;
    private CancellationTokenSource? _lostOfSet;
    private volatile bool _isAbandoned;

    /// <param name="grant">What was granted.</param>
    /// <param name="deadline">Until when it can be relied on.</param>
    /// <param name="time">The clock.</param>
    /// <param name="telemetry">Told of each change of state.</param>
    public Lease(LeaseGrant grant, Deadline deadline, TimeProvider time, LeaseTelemetry telemetry)
    {
        Grant = grant;
        _time = time;
        _telemetry = telemetry;
        _grantedAt = time.Uptime;
        _renewUntil = grant.Options?.MaxHold is { } hold ? deadline.ConfirmedAt.Uptime.After(hold) : TimeSpan.MaxValue;
        _progressTimeout = grant.Options?.ProgressTimeout ?? TimeSpan.MaxValue;
        _reportedAt = _grantedAt.Ticks;
        _moment = new LeaseMoment(LeaseState.Held, deadline, deadline.RenewedAt);
    }

    public LeaseGrant Grant { get; }

    public LeaseTimings Timings => Grant.Timings;

    /// <summary>The trace of the hold, from the grant to its end.</summary>
    public HoldTrace? Hold { get; init; }

    /// <summary>The scheduled time that it was granted for; null for none, also where it is not to be ended with the lease.</summary>
    public Occurrence? Occurrence { get; set; }

    /// <summary>Most leases are released with nobody having asked for it, so it is made for who does.</summary>
    public CancellationToken Lost
    {
        get
        {
            var lost = _lost ?? Interlocked.CompareExchange(ref _lost, new CancellationTokenSource(), null) ?? _lost;
            if (Now.State == LeaseState.Lost && !lost.IsCancellationRequested)
            {
                // It was lost in this moment, and whoever found that may not have seen the source.
                _telemetry.ObserveCallbacks(Grant, lost.CancelAsync());
            }

            return lost.Token;
        }
    }

    /// <summary>Its place in the schedule, which alone uses it; negative when it has none.</summary>
    public int Place { get; set; } = -1;

    public TimeSpan HeldFor => _time.Uptime - _grantedAt;

    public LeaseLossReason? LossReason => Now.LossReason;

    public LeaseState State
    {
        get
        {
            // Right after a pause the watchdog may not have run yet: the clock decides, not the last thing that was noted.
            LoseIfOverdue();
            return Now is { State: LeaseState.Held } now && now.Deadline.IsDoubtfulAt(_time.Reading) ? LeaseState.InDoubt : Now.State;
        }
    }

    public TimeSpan Remaining => Now is { IsActive: true } now && !now.Deadline.IsDoubtfulAt(_time.Reading) ? now.Deadline.RemainingAt(_time.Uptime) : TimeSpan.Zero;

    /// <summary>How long a renewal may take. As <see cref="Remaining"/>, but also of a lease that is to be renewed before it is relied on.</summary>
    public TimeSpan UntilDeadline => Now.Deadline.RemainingAt(_time.Uptime);

    public bool IsActive => Now.IsActive;

    /// <summary>Whether it reached its MaxHold and is no longer renewed.</summary>
    public bool IsPastMaxHold => _renewUntil <= _time.Uptime;

    /// <summary>Whether the last report of progress is too old, so that it is not renewed.</summary>
    public bool IsWithoutProgress => _time.Uptime - new TimeSpan(Volatile.Read(ref _reportedAt)) > _progressTimeout;

    public Deadline Deadline => Now.Deadline;

    /// <summary>The next moment at which the watchdog has to look at this lease.</summary>
    public TimeSpan NextEvent
    {
        get
        {
            // A renewal under way, or past the last one allowed, leaves only the deadline to watch; so does want of progress, the end of which the next report tells.
            var now = Now;
            var isRenewed = now.Renewal is null && !now.IsStalled && !(now.NextRenewal >= _renewUntil) && !IsPastMaxHold;
            return isRenewed && now.NextRenewal < now.Deadline.LostAt ? now.NextRenewal : now.Deadline.LostAt;
        }
    }

    /// <summary>The renewal under way; completed when there is none.</summary>
    public Task<bool> RenewalUnderWay => Now.Renewal ?? NoRenewal;

    private LeaseMoment Now => Volatile.Read(ref _moment);

    /// <summary>The object that the user holds was collected: the lease is not renewed for ever.</summary>
    public void Abandon() => _isAbandoned = true;

    /// <summary>Trips the loss when the deadline has come, or the user's object is gone.</summary>
    /// <returns>Whether the lease is active still.</returns>
    public bool LoseIfOverdue()
    {
        if (_isAbandoned)
        {
            return Lose(LeaseLossReason.Abandoned);
        }

        var now = Now;
        if (!now.IsActive || _time.Uptime < now.Deadline.LostAt)
        {
            return now.IsActive;
        }

        return Apply(
            LeaseEvent.Loss,
            before => _time.Uptime < before.Deadline.LostAt
                ? null // A renewal was confirmed in this moment.
                : before with { LossReason = ReasonAtDeadline(before) });
    }

    /// <summary>Takes it into a set, which is lost with it. Its work begins with the first report of progress.</summary>
    /// <param name="lostOfSet">Cancelled when this is lost.</param>
    public void Join(CancellationTokenSource lostOfSet)
    {
        Interlocked.Exchange(ref _reportedAt, long.MaxValue);
        Interlocked.Exchange(ref _lostOfSet, lostOfSet);
        if (Now.State == LeaseState.Lost)
        {
            // Whoever found that may not have seen the set.
            _telemetry.ObserveCallbacks(Grant, lostOfSet.CancelAsync());
        }
    }

    /// <summary>Notes that the work gets on.</summary>
    /// <returns>Whether renewals go on by this: then the watchdog is to look at it now.</returns>
    public bool ReportProgress()
    {
        var now = _time.Uptime;
        if (_progressTimeout == TimeSpan.MaxValue || now >= Now.Deadline.LostAt)
        {
            // A report that comes too late is no reason to call the loss anything else.
            return false;
        }

        // With a fence: either this sees that the lease was stalled, or whoever stalls it sees the report.
        Interlocked.Exchange(ref _reportedAt, now.Ticks);
        return Now.IsStalled && Resume();
    }

    /// <summary>
    /// Begins a renewal, unless one is under way or, for the watchdog, none is due within the batching window. Until <paramref name="completion"/> completes no other
    /// begins, and a release waits for it.
    /// </summary>
    public bool TryBeginRenewal(Task<bool> completion, bool onlyWhenDue = true)
    {
        while (true)
        {
            var (before, now) = (Now, _time.Uptime);
            if (!before.IsActive || before.Renewal is not null || (onlyWhenDue && now < before.NextRenewal - Timings.BatchingWindow) || now >= _renewUntil)
            {
                return false;
            }

            if (IsWithoutProgress)
            {
                if (!before.IsStalled)
                {
                    if (!TryReplace(before, before with { IsStalled = true }))
                    {
                        continue;
                    }

                    _telemetry.Stalled(Grant, _progressTimeout, Remaining);
                }

                // A report may have come in this moment, and may not have seen that.
                if (IsWithoutProgress)
                {
                    return false;
                }

                Resume();
                continue;
            }

            if (TryReplace(before, before with { Renewal = completion }))
            {
                return true;
            }
        }
    }

    /// <summary>Ends a renewal that was begun, whatever came of it.</summary>
    public void EndRenewal()
    {
        while (true)
        {
            var (before, now) = (Now, _time.Uptime);
            var nextRenewal = before.NextRenewal <= now ? now + Timings.RetryInterval : before.NextRenewal;
            if (TryReplace(before, before with { Renewal = null, NextRenewal = nextRenewal }))
            {
                return;
            }
        }
    }

    /// <summary>Learns what the store replied to a renewal.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="sentAt">The moment before the renewal was sent.</param>
    /// <returns>Whether the lease stands.</returns>
    public bool Learn(RenewalReply reply, ClockReading sentAt) => reply switch
    {
        RenewalReply.Renewed => ConfirmRenewal(sentAt),
        RenewalReply.Revoked => Lose(LeaseLossReason.Revoked),
        _ => Lose(LeaseLossReason.NotOwner),
    };

    /// <summary>Learns that the store confirmed a renewal.</summary>
    /// <param name="sentAt">The moment before the renewal was sent.</param>
    /// <returns>Whether the lease stands.</returns>
    public bool ConfirmRenewal(ClockReading sentAt)
    {
        // A reply that comes after the deadline does not revive the lease: user code may have been told, or have looked at the clock.
        var confirmed = new Deadline(sentAt, Timings);
        return LoseIfOverdue() && Apply(LeaseEvent.RenewalConfirmed, before =>
            confirmed.IsDoubtfulAt(_time.Reading) ? null // Sent before the machine was suspended, it proves nothing of what came after.
            : confirmed.IsLaterThan(before.Deadline) ? before with { Deadline = confirmed, NextRenewal = confirmed.RenewedAt }
            : before);
    }

    /// <summary>Comes in doubt when the machine was suspended since the last confirmation, to be renewed before it is relied on again.</summary>
    /// <returns>Whether it has come in doubt by this.</returns>
    public bool DoubtIfSuspended()
    {
        if (Now is not { IsActive: true, Deadline: { DoubtEndsAt: null } held } || !held.IsDoubtfulAt(_time.Reading))
        {
            return false;
        }

        var hasDoubts = false;
        Apply(LeaseEvent.Suspension, before =>
        {
            hasDoubts = before.Deadline is { DoubtEndsAt: null } held && held.IsDoubtfulAt(_time.Reading);
            return hasDoubts ? before with { NextRenewal = _time.Uptime, Deadline = before.Deadline.DoubtedAt(_time.Uptime) } : null;
        });
        return hasDoubts;
    }

    /// <summary>Learns that a renewal failed: in doubt, not lost.</summary>
    public void FailRenewal()
    {
        if (LoseIfOverdue())
        {
            Apply(LeaseEvent.RenewalFailed, before => before with { NextRenewal = _time.Uptime + Timings.RetryInterval });
        }
    }

    /// <summary>Ends the lease as lost, unless it has ended already.</summary>
    /// <returns>Whether the lease is active still: never.</returns>
    public bool Lose(LeaseLossReason reason) => Apply(LeaseEvent.Loss, before => before with { LossReason = reason });

    /// <summary>Ends the lease as released, unless it has ended already. From here on no renewal begins.</summary>
    /// <returns>The renewal under way, to be awaited before the release is sent.</returns>
    public Task<bool> BeginRelease()
    {
        LoseIfOverdue();
        Apply(LeaseEvent.ReleaseRequest, static before => before);
        return RenewalUnderWay;
    }

    /// <summary>Takes the transition of an event, if there is one.</summary>
    /// <param name="leaseEvent">What happened.</param>
    /// <param name="change">What changes beside the state; null for: nothing happened after all.</param>
    /// <returns>Whether the lease is active after that.</returns>
    private bool Apply(LeaseEvent leaseEvent, Func<LeaseMoment, LeaseMoment?> change)
    {
        while (true)
        {
            var before = Now;
            if (LeaseTransitions.Next(before.State, leaseEvent) is not { } next || change(before) is not { } after)
            {
                return before.IsActive;
            }

            after = after with { State = next };
            if (TryReplace(before, after))
            {
                Tell(before, after);
                return after.IsActive;
            }
        }
    }

    /// <summary>Progress was reported: what is due is renewed again.</summary>
    private bool Resume()
    {
        while (Now is { IsActive: true, IsStalled: true } before)
        {
            if (TryReplace(before, before with { IsStalled = false }))
            {
                _telemetry.Resumed(Grant);
                return true;
            }
        }

        return false;
    }

    private LeaseLossReason ReasonAtDeadline(LeaseMoment before) =>
        _renewUntil <= before.Deadline.LostAt ? LeaseLossReason.MaxHoldReached
        : before.IsStalled ? LeaseLossReason.NoProgress
        : LeaseLossReason.DeadlinePassed;

    // By reference: one that another thread put there, and that says the same, is not what was replaced.
    private bool TryReplace(LeaseMoment before, LeaseMoment after) => ReferenceEquals(Interlocked.CompareExchange(ref _moment, after, before), before);

    private void Tell(LeaseMoment before, LeaseMoment after)
    {
        if (before.State == after.State)
        {
            return;
        }

        if (after.State == LeaseState.Lost)
        {
            // The token turns cancelled here and now; only the callbacks go to the pool. User code that blocks in one, or throws
            // from it, must not hold up the watchdog of the other leases.
            if (Volatile.Read(ref _lost) is { } lost)
            {
                _telemetry.ObserveCallbacks(Grant, lost.CancelAsync());
            }

            if (Volatile.Read(ref _lostOfSet) is { } ofSet)
            {
                _telemetry.ObserveCallbacks(Grant, ofSet.CancelAsync());
            }
        }

        _telemetry.StateChanged(Grant, Hold, before.State, after, Remaining, HeldFor, _time.Uptime);
    }
}
