using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Resilience;

/// <summary>
/// Where calls wait while the store is away, so that an outage makes no more calls of them. A partition's gate closes when a call fails. Then it lets
/// one call through four times a second, renewals before anything else and releases before acquisitions, and opens for all when one of them succeeds.
/// </summary>
/// <remarks>
/// Nothing here depends on a reply: a call that hangs was let through, and the next may pass when its time has come. The time comes by a timer, and by the
/// watchdog, which calls <see cref="LetPass"/>, for renewals do not wait for the pool. Safe for use by several threads.
/// </remarks>
internal sealed class StoreGate(TimeProvider time) : IDisposable
{
    /// <summary>How long after one call through a closed gate the next may pass.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    /// <summary>With many partitions away each lets fewer calls through, but no fewer than that.</summary>
    private static readonly TimeSpan MaxPace = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<int, GateQueue> _closed = [];
    private ITimer? _timer;
    private TimeSpan _timerIsDueAt = TimeSpan.MaxValue;
    private volatile bool _isOpen = true;

    /// <summary>Whether no partition is away, and no call waits.</summary>
    public bool IsOpen => _isOpen;

    private TimeSpan PaceNow => Pace * _closed.Count < MaxPace ? Pace * _closed.Count : MaxPace;

    /// <summary>Waits until a call may be sent.</summary>
    /// <param name="partition">For which part of the store it is.</param>
    /// <param name="call">What it is. A question of an operator never waits.</param>
    /// <param name="isPatient">Whether it waits until it may pass, and not only until the next failure.</param>
    /// <param name="limit">How long it waits at most; may be infinite.</param>
    /// <param name="continueOnCapturedContext">Whether to go on where the caller is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when it may pass; else how another call failed, for which it waited in vain.</returns>
    /// <exception cref="TimeoutException">The limit was reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<LockStoreException?> EnterAsync(
        int partition, StoreCall call, bool isPatient, TimeSpan limit, bool continueOnCapturedContext, CancellationToken cancellationToken)
    {
        if (Enter(partition, call, isPatient) is not { } place)
        {
            return null;
        }

        try
        {
            return await place.Passed.WithinAsync(limit, time, continueOnCapturedContext, cancellationToken).ConfigureAwait(continueOnCapturedContext);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Leave(partition, place);
            throw;
        }
    }

    /// <summary>A call that was let through had nothing to ask after all: the next takes its turn.</summary>
    public void PassOn(int partition)
    {
        lock (_gate)
        {
            if (_closed.TryGetValue(partition, out var queue))
            {
                queue.NextPassAt = time.Uptime;
                LetPassNow();
            }
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
    /// <param name="partition">For which part of the store it was.</param>
    /// <param name="sentAt">When it was sent.</param>
    /// <param name="error">How it failed.</param>
    public void Failed(int partition, TimeSpan sentAt, LockStoreException error)
    {
        lock (_gate)
        {
            if (!_closed.TryGetValue(partition, out var queue))
            {
                Forget();
                _closed.Add(partition, queue = new GateQueue(nextPassAt: sentAt));
                queue.NextPassAt = sentAt + PaceNow;
                _isOpen = false;
            }
            else if (sentAt < queue.RepliedTo)
            {
                return;
            }

            (queue.Replies, queue.FailedAt) = (false, time.Uptime);
            queue.Fail(error);
            LetPassNow();
        }
    }

    /// <summary>Learns that a call got a reply: a success, or a refusal, which is no outage.</summary>
    /// <param name="partition">For which part of the store it was.</param>
    /// <param name="call">What it was. A store without memory extends leases still and grants none, so only an acquisition lets all others pass.</param>
    /// <param name="sentAt">When it was sent.</param>
    public void Replied(int partition, StoreCall call, TimeSpan sentAt)
    {
        if (_isOpen)
        {
            return;
        }

        lock (_gate)
        {
            if (!_closed.TryGetValue(partition, out var queue))
            {
                return;
            }

            queue.Replies = true;
            queue.RepliedTo = sentAt > queue.RepliedTo ? sentAt : queue.RepliedTo;

            // Leases that still stand come first. What waits behind them goes on when they have their reply, or at its own time.
            if (!queue.PassAll(StoreCall.Renewal))
            {
                queue.PassAll(StoreCall.Release);
                if (call == StoreCall.Acquisition)
                {
                    queue.PassAll(StoreCall.Acquisition);
                }
                else if (queue.TryPassOne(StoreCall.Acquisition))
                {
                    queue.NextPassAt = time.Uptime + PaceNow;
                }
            }

            if (queue.IsEmpty)
            {
                Open(partition);
            }

            LetPassNow();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
        }
    }

    private GateQueue.Place? Enter(int partition, StoreCall call, bool isPatient)
    {
        lock (_gate)
        {
            if (call == StoreCall.Question || !_closed.TryGetValue(partition, out var queue) || (queue.Replies && call == StoreCall.Renewal))
            {
                return null;
            }

            var place = queue.Add(call, isPatient);
            LetPassNow();
            return place;
        }
    }

    /// <summary>A call waits no more. If it was let pass in this moment, the next takes its turn.</summary>
    private void Leave(int partition, GateQueue.Place place)
    {
        lock (_gate)
        {
            place.Leave();
            if (place.HasPassed && _closed.TryGetValue(partition, out var queue))
            {
                queue.NextPassAt = time.Uptime;
            }

            LetPassNow();
        }
    }

    private void Open(int partition)
    {
        _closed.Remove(partition);
        _isOpen = _closed.Count == 0;

        // Those that share a server with it are probably back as well.
        var soon = time.Uptime + Pace;
        foreach (var other in _closed.Values)
        {
            other.NextPassAt = other.NextPassAt < soon ? other.NextPassAt : soon;
        }
    }

    private TimeSpan LetPassNow()
    {
        var now = time.Uptime;
        var (next, nextRenewal) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        foreach (var queue in _closed.Values)
        {
            if (queue.NextPassAt <= now && queue.TryPassOne())
            {
                queue.NextPassAt = now + PaceNow;
            }

            if (!queue.IsEmpty)
            {
                next = queue.NextPassAt < next ? queue.NextPassAt : next;
                nextRenewal = queue.Has(StoreCall.Renewal) && queue.NextPassAt < nextRenewal ? queue.NextPassAt : nextRenewal;
            }
        }

        SetTimer(next);
        return nextRenewal;
    }

    private void Fire()
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

        _timer ??= Detached.Run(() => time.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        TimeSpan now;
        do
        {
            // Again when the clock was moved in between, as by a test: the timer would be late by as much.
            now = time.Uptime;
            _timer.Change(due > now ? (due - now).ToTimer() : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
        while (time.Uptime - now > MonotonicClock.Resolution);
    }

    /// <summary>Drops the gates of partitions that nobody has asked for some time: what is asked there next is asked at once anyhow.</summary>
    private void Forget()
    {
        var before = time.Uptime - (2 * MaxPace);
        foreach (var (partition, queue) in _closed)
        {
            if (queue.IsEmpty && queue.FailedAt < before)
            {
                _closed.Remove(partition);
            }
        }
    }
}
