using System.Collections.Frozen;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Coordination.Nodes;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Leases;

/// <summary>
/// A granted lock on the holder's side: a state machine with a deadline. It makes no call and starts no timer; the watchdog
/// feeds it with what it learns. Safe for use by several threads.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of, and its token outlives the lease.")]
internal sealed class Lease
{
    // The transitions. An event that finds no row here changes nothing, so Lost and Released are final.
    private static readonly FrozenDictionary<(LeaseState, LeaseEvent), LeaseState> Transitions =
        new Dictionary<(LeaseState, LeaseEvent), LeaseState>
        {
            [(LeaseState.Held, LeaseEvent.RenewalConfirmed)] = LeaseState.Held,
            [(LeaseState.Held, LeaseEvent.RenewalFailed)] = LeaseState.InDoubt,
            [(LeaseState.Held, LeaseEvent.Loss)] = LeaseState.Lost,
            [(LeaseState.Held, LeaseEvent.ReleaseRequest)] = LeaseState.Released,
            [(LeaseState.InDoubt, LeaseEvent.RenewalConfirmed)] = LeaseState.Held,
            [(LeaseState.InDoubt, LeaseEvent.Loss)] = LeaseState.Lost,
            [(LeaseState.InDoubt, LeaseEvent.ReleaseRequest)] = LeaseState.Released,
        }.ToFrozenDictionary();

    private readonly TimeProvider _time;
    private readonly LeaseTelemetry _telemetry;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly TimeSpan _grantedAt;
    private readonly TimeSpan? _renewUntil;
    private LeaseState _state = LeaseState.Held;
    private LeaseLossReason? _lossReason;
    private TimeSpan _deadline;
    private TimeSpan _nextRenewal;
    private Task? _renewal;
    private WeakReference<object>? _handle;

    /// <param name="grant">What was granted.</param>
    /// <param name="timings">How long it lasts.</param>
    /// <param name="options">How it differs from the node's other leases; null for not at all.</param>
    /// <param name="sentAt">The moment before the request was sent that was granted: the store's count began no earlier.</param>
    /// <param name="time">The clock.</param>
    /// <param name="telemetry">Told of each change of state.</param>
    public Lease(LeaseGrant grant, LeaseTimings timings, LockOptions? options, TimeSpan sentAt, TimeProvider time, LeaseTelemetry telemetry)
    {
        Grant = grant;
        Timings = timings;
        Options = options;
        _time = time;
        _telemetry = telemetry;
        _grantedAt = time.Uptime;
        _renewUntil = options?.MaxHold is { } hold ? sentAt + hold : null;
        _deadline = sentAt + timings.Duration - timings.SafetyMargin;
        _nextRenewal = sentAt + timings.RenewalInterval;
    }

    public LeaseGrant Grant { get; }

    public LeaseTimings Timings { get; }

    /// <summary>How it differs from the node's other leases.</summary>
    public LockOptions? Options { get; }

    /// <summary>The trace of the hold, from the grant to its end.</summary>
    public Activity? Activity { get; set; }

    /// <summary>The scheduled time that it was granted for; null for none, also where it is not to be ended with the lease.</summary>
    public Occurrence? Occurrence { get; set; }

    public CancellationToken Lost => _lost.Token;

    public TimeSpan HeldFor => _time.Uptime - _grantedAt;

    public LeaseLossReason? LossReason
    {
        get
        {
            lock (_gate)
            {
                return _lossReason;
            }
        }
    }

    public LeaseState State
    {
        get
        {
            // Right after a pause the watchdog may not have run yet: the clock decides, not the last thing that was noted.
            LoseIfOverdue();
            lock (_gate)
            {
                return _state;
            }
        }
    }

    public TimeSpan Remaining
    {
        get
        {
            lock (_gate)
            {
                var remaining = _deadline - _time.Uptime;
                return IsActiveLocked && remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
            }
        }
    }

    public bool IsActive
    {
        get
        {
            lock (_gate)
            {
                return IsActiveLocked;
            }
        }
    }

    /// <summary>Whether it reached its MaxHold and is no longer renewed.</summary>
    public bool IsPastMaxHold => _renewUntil <= _time.Uptime;

    /// <summary>The moment when the lease lapses in the store at the latest, as far as confirmed renewals tell.</summary>
    public TimeSpan LapsesAt
    {
        get
        {
            lock (_gate)
            {
                return _deadline + Timings.SafetyMargin;
            }
        }
    }

    /// <summary>The next moment at which the watchdog has to look at this lease.</summary>
    public TimeSpan NextEvent
    {
        get
        {
            lock (_gate)
            {
                // A renewal under way, or past the last one allowed, leaves only the deadline to watch.
                var isRenewed = _renewal is null && !(_nextRenewal >= _renewUntil) && !(_time.Uptime >= _renewUntil);
                return isRenewed && _nextRenewal < _deadline ? _nextRenewal : _deadline;
            }
        }
    }

    /// <summary>The renewal under way; completed when there is none.</summary>
    public Task RenewalUnderWay
    {
        get
        {
            lock (_gate)
            {
                return _renewal ?? Task.CompletedTask;
            }
        }
    }

    private bool IsActiveLocked => _state is LeaseState.Held or LeaseState.InDoubt;

    /// <summary>Binds the lease to the object that the user holds, so that it is not renewed for ever once that is collected.</summary>
    public void BindTo(object handle) => _handle = new WeakReference<object>(handle);

    /// <summary>Trips the loss when the deadline has come, or the user's object is gone.</summary>
    /// <returns>Whether the lease is active still.</returns>
    public bool LoseIfOverdue()
    {
        if (_handle?.TryGetTarget(out _) == false)
        {
            return Lose(LeaseLossReason.Abandoned);
        }

        lock (_gate)
        {
            if (!IsActiveLocked || _time.Uptime < _deadline)
            {
                return IsActiveLocked;
            }
        }

        return Lose(_renewUntil <= _deadline ? LeaseLossReason.MaxHoldReached : LeaseLossReason.DeadlinePassed);
    }

    /// <summary>
    /// Begins a renewal, unless one is under way or, for the watchdog, none is due within the batching window. Until <paramref name="completion"/> completes no other
    /// begins, and a release waits for it.
    /// </summary>
    public bool TryBeginRenewal(Task completion, bool onlyWhenDue = true)
    {
        lock (_gate)
        {
            var now = _time.Uptime;
            if (!IsActiveLocked || _renewal is not null || (onlyWhenDue && now < _nextRenewal - Timings.BatchingWindow) || now >= _renewUntil)
            {
                return false;
            }

            _renewal = completion;
            return true;
        }
    }

    /// <summary>Ends a renewal that was begun, whatever came of it.</summary>
    public void EndRenewal()
    {
        lock (_gate)
        {
            _renewal = null;
            if (_nextRenewal <= _time.Uptime)
            {
                _nextRenewal = _time.Uptime + Timings.RetryInterval;
            }
        }
    }

    /// <summary>Takes in what the store answered to a renewal.</summary>
    /// <param name="reply">The answer.</param>
    /// <param name="sentAt">The moment before the renewal was sent.</param>
    /// <returns>Whether the lease stands.</returns>
    public bool TakeIn(RenewalReply reply, TimeSpan sentAt) => reply switch
    {
        RenewalReply.Renewed => ConfirmRenewal(sentAt),
        RenewalReply.Revoked => Lose(LeaseLossReason.Revoked),
        _ => Lose(LeaseLossReason.NotOwner),
    };

    /// <summary>Takes in that the store confirmed a renewal.</summary>
    /// <param name="sentAt">The moment before the renewal was sent.</param>
    /// <returns>Whether the lease stands.</returns>
    public bool ConfirmRenewal(TimeSpan sentAt)
    {
        // A reply that comes after the deadline does not revive the lease: user code may have been told, or have looked at the clock.
        if (!LoseIfOverdue())
        {
            return false;
        }

        lock (_gate)
        {
            var deadline = sentAt + Timings.Duration - Timings.SafetyMargin;
            if (deadline > _deadline)
            {
                _deadline = deadline;
                _nextRenewal = sentAt + Timings.RenewalInterval;
            }
        }

        return Apply(LeaseEvent.RenewalConfirmed, null);
    }

    /// <summary>Takes in that a renewal failed: in doubt, not lost.</summary>
    public void FailRenewal()
    {
        if (LoseIfOverdue())
        {
            lock (_gate)
            {
                _nextRenewal = _time.Uptime + Timings.RetryInterval;
            }

            Apply(LeaseEvent.RenewalFailed, null);
        }
    }

    /// <summary>Ends the lease as lost, unless it has ended already.</summary>
    /// <returns>Whether the lease is active still: never.</returns>
    public bool Lose(LeaseLossReason reason) => Apply(LeaseEvent.Loss, reason);

    /// <summary>Ends the lease as released, unless it has ended already. From here on no renewal begins.</summary>
    /// <returns>The renewal under way, to be awaited before the release is sent.</returns>
    public Task BeginRelease()
    {
        LoseIfOverdue();
        Apply(LeaseEvent.ReleaseRequest, null);
        return RenewalUnderWay;
    }

    private bool Apply(LeaseEvent leaseEvent, LeaseLossReason? reason)
    {
        LeaseState before, after;
        lock (_gate)
        {
            before = _state;
            if (!Transitions.TryGetValue((before, leaseEvent), out after))
            {
                return IsActiveLocked;
            }

            _state = after;
            _lossReason ??= reason;
        }

        if (before != after)
        {
            if (after == LeaseState.Lost)
            {
                // The token turns cancelled here and now; only the callbacks go to the pool. User code that blocks in one, or throws
                // from it, must not hold up the watchdog of the other leases.
                _telemetry.ObserveCallbacks(this, _lost.CancelAsync());
            }

            _telemetry.StateChanged(this, before, after, reason);
        }

        return after is LeaseState.Held or LeaseState.InDoubt;
    }
}
