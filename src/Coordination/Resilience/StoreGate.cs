using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Resilience;

/// <summary>
/// Where calls wait while the store is away, so that an outage makes no more calls of them. A shard's gate closes for a kind of call when one fails, and for
/// all kinds when an acquisition fails. Then it lets calls through by turns, renewals before anything else and releases before acquisitions, and opens when one
/// of them succeeds.
/// </summary>
/// <remarks>
/// Nothing here depends on a reply: a call that hangs was let through, and the next may pass when its time has come. The time comes by a timer, and by the
/// watchdog, which calls <see cref="LetPass"/>, for renewals do not wait for the pool. Safe for use by several threads.
/// </remarks>
internal sealed class StoreGate(TimeProvider time) : IDisposable
{
    /// <inheritdoc cref="GateTurns.Pace"/>
    public static readonly TimeSpan Pace = GateTurns.Pace;

    /// <summary>For how long it is known that a shard was away which nobody asks any more.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<int, GateQueue> _closed = [];
    private readonly GateTurns _turns = new();
    private ITimer? _timer;
    private TimeSpan _timerIsDueAt = TimeSpan.MaxValue;
    private volatile bool _isOpen = true;

    /// <summary>Whether no shard is away, and no call waits.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Waits until a call may be sent.</summary>
    /// <param name="shard">For which shard it is.</param>
    /// <param name="plan">How it is to be made.</param>
    /// <param name="limit">How long it waits at most; may be infinite.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when it may pass; else how the last call failed, for the limit was reached.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<LockStoreException?> EnterAsync(int shard, CallPlan plan, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (Enter(shard, plan) is not { } place)
        {
            return null;
        }

        try
        {
            await place.Passed.WithinAsync(limit, time, plan.ContinueOnCapturedContext, cancellationToken).ConfigureAwait(plan.ContinueOnCapturedContext);
            return null;
        }
        catch (TimeoutException)
        {
            return Leave(place);
        }
        catch (OperationCanceledException)
        {
            Leave(place);
            throw;
        }
    }

    /// <summary>A call that was let through had nothing to ask after all: the next takes its turn.</summary>
    public void PassOn()
    {
        lock (_gate)
        {
            _turns.Free();
            LetPassNow();
        }
    }

    /// <summary>Lets pass what is due.</summary>
    /// <returns>When it is to be called next, for a renewal that waits; the end of time when none does.</returns>
    public TimeSpan LetPass()
    {
        if (_isOpen)
        {
            return TimeSpan.MaxValue;
        }

        lock (_gate)
        {
            return LetPassNow();
        }
    }

    /// <summary>Learns that a call failed, with a transient failure.</summary>
    /// <param name="shard">For which shard it was.</param>
    /// <param name="call">What it was.</param>
    /// <param name="sentAt">When it was sent.</param>
    /// <param name="error">How it failed.</param>
    public void Failed(int shard, StoreCall call, TimeSpan sentAt, LockStoreException error)
    {
        lock (_gate)
        {
            if (!_closed.TryGetValue(shard, out var queue))
            {
                Forget();
                _closed.Add(shard, queue = new GateQueue(closedAt: sentAt));
                _turns.Count(sentAt);
                _isOpen = false;
            }
            else if (sentAt < queue.RepliedTo)
            {
                return;
            }

            queue.Close(call, error);
            queue.FailedAt = time.Uptime;
            LetPassNow();
        }
    }

    /// <summary>Learns that a call got a reply: a success, or a refusal, which is no outage.</summary>
    /// <param name="shard">For which shard it was.</param>
    /// <param name="call">What it was. A store without memory extends leases still and grants none, so what succeeds says nothing of acquisitions but one.</param>
    /// <param name="sentAt">When it was sent.</param>
    public void Replied(int shard, StoreCall call, TimeSpan sentAt)
    {
        if (_isOpen)
        {
            return;
        }

        lock (_gate)
        {
            if (!_closed.TryGetValue(shard, out var queue))
            {
                Forget();
                _isOpen = _closed.Count == 0;
                return;
            }

            if (queue.FailedAt + Pace <= time.Uptime && (!queue.Replies || (call == StoreCall.Acquisition && !queue.Grants)))
            {
                // Others are probably back as well: each that is asks for the next.
                _turns.Free();
            }

            // Renewals that fail for a reason of their own hold up acquisitions no longer than until two of those have their reply.
            var grantsAgain = call == StoreCall.Acquisition && queue.Grants;
            queue.Open(call);
            queue.RepliedTo = sentAt > queue.RepliedTo ? sentAt : queue.RepliedTo;

            // Leases that still stand come first. What waits behind them goes on when they have their reply, or at its own time.
            if (!queue.PassAll(StoreCall.Renewal) || grantsAgain)
            {
                queue.PassAll(StoreCall.Release);
                if (queue.Grants)
                {
                    queue.PassAll(StoreCall.Acquisition);
                }
            }

            if (queue.IsEmpty)
            {
                _closed.Remove(shard);
                _isOpen = _closed.Count == 0;
            }

            LetPassNow();
        }
    }

    /// <summary>Why acquisitions wait that are for a shard; null when they do not.</summary>
    public LockStoreException? FindFailure(int shard)
    {
        lock (_gate)
        {
            return _closed.TryGetValue(shard, out var queue) && !queue.Grants ? queue.ErrorOf(StoreCall.Acquisition) : null;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
        }
    }

    private GateQueue.Place? Enter(int shard, CallPlan plan)
    {
        lock (_gate)
        {
            if (!_closed.TryGetValue(shard, out var queue) || !queue.HasToWait(plan.Call))
            {
                return null;
            }

            var place = queue.Add(plan);
            LetPassNow();
            return place;
        }
    }

    /// <summary>A call waits no more. If it was let pass in this moment, the next takes its turn.</summary>
    /// <returns>How the last call failed.</returns>
    private LockStoreException Leave(GateQueue.Place place)
    {
        lock (_gate)
        {
            place.Leave();
            if (place.Passed.IsCompleted)
            {
                _turns.Free();
            }

            LetPassNow();
            return place.Error;
        }
    }

    private TimeSpan LetPassNow()
    {
        var (next, nextRenewal) = _turns.LetPass(_closed.Values, time.Uptime);
        SetTimer(next);
        return nextRenewal;
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _timerIsDueAt = TimeSpan.MaxValue;
            LetPassNow();
        }
    }

    private void SetTimer(TimeSpan due)
    {
        if (due == _timerIsDueAt)
        {
            return;
        }

        _timerIsDueAt = due;
        if (due == TimeSpan.MaxValue)
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        _timer ??= Detached.Run(() => time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        TimeSpan now;
        do
        {
            // Again when the clock was moved in between, as by a test: the timer would be late by as much.
            now = time.Uptime;
            _timer.Change(due > now ? (due - now).ToTimer() : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
        while (time.Uptime - now > MonotonicClock.Resolution);
    }

    /// <summary>Drops the shards that nobody has asked for some time: what is asked there next is asked at once anyhow.</summary>
    private void Forget()
    {
        var before = time.Uptime - Memory;
        foreach (var (shard, queue) in _closed)
        {
            if (queue.IsEmpty && queue.FailedAt < before)
            {
                _closed.Remove(shard);
            }
        }
    }
}
