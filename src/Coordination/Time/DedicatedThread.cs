namespace Coordination.Time;

/// <summary>
/// A thread of its own with a queue of its own, on which asynchronous code can stay: what is awaited there on the captured context
/// goes on there, so neither the clock nor the replies wait for a thread pool that is exhausted.
/// </summary>
internal sealed class DedicatedThread : SynchronizationContext, IDisposable
{
    /// <summary>When the next tick comes after one that threw.</summary>
    private static readonly TimeSpan AfterFault = TimeSpan.FromMilliseconds(100);

    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly Func<TimeSpan> _tick;
    private readonly Action<Exception> _fault;
    private readonly Lock _startGate = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new();
    private readonly object _wake = new();
    private readonly ITimer? _timer;
    private Thread? _thread;
    private TimeSpan _wakesAt = TimeSpan.MaxValue;
    private bool _signalled;
    private bool _sleeps = true;
    private bool _hasEnded;
    private volatile bool _stopped;

    /// <param name="name">The thread's name, for debuggers and dumps.</param>
    /// <param name="time">The clock.</param>
    /// <param name="tick">Does what is due, and returns when it wants to be called next. Runs on the thread.</param>
    /// <param name="fault">Told of an exception that reached the loop. The loop goes on.</param>
    public DedicatedThread(string name, TimeProvider time, Func<TimeSpan> tick, Action<Exception> fault)
    {
        _name = name;
        _time = time;
        _tick = tick;
        _fault = fault;

        // The system's timers run on the thread pool, which is what this thread must not depend on: it sleeps by itself. Another clock may
        // run ahead of that, as one does that a test moves, and has no other way to say that its time has come.
        _timer = time == TimeProvider.System ? null : Detached.Run(() => time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
    }

    /// <summary>Whether everything that was due by now is done and the thread sleeps: what a test waits for after it moved the clock.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_wake)
            {
                return _sleeps && !_signalled && _posted.Count == 0;
            }
        }
    }

    /// <summary>Sees to it that a tick comes no later than at a moment. Costs nothing when one is due earlier.</summary>
    public void WakeAt(TimeSpan moment)
    {
        bool isLater;
        lock (_wake)
        {
            isLater = moment >= _wakesAt;
        }

        if (!isLater)
        {
            EnsureStarted();
            Wake();
        }
    }

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_wake)
        {
            if (!_hasEnded)
            {
                _posted.Enqueue((d, state));
                _signalled = true;
                Monitor.Pulse(_wake);
                return;
            }
        }

        // The thread is gone, and somebody may wait for what this completes.
        ThreadPool.QueueUserWorkItem(static item => item.Callback(item.State), (Callback: d, State: state), preferLocal: false);
    }

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Ends the thread after what it is doing. Does not wait for it.</summary>
    public void Dispose()
    {
        _timer?.Dispose();
        lock (_wake)
        {
            _stopped = true;
            Monitor.Pulse(_wake);
        }
    }

    private void Wake()
    {
        lock (_wake)
        {
            _signalled = true;
            Monitor.Pulse(_wake);
        }
    }

    private void EnsureStarted()
    {
        lock (_startGate)
        {
            if (_thread is null && !_stopped)
            {
                // It outlives whoever asked for it first, and keeps nothing of theirs. Where it cannot be started, the next one tries again.
                var thread = new Thread(Run) { IsBackground = true, Name = _name };
                thread.UnsafeStart();
                _thread = thread;
            }
        }
    }

    private void Run()
    {
        SetSynchronizationContext(this);
        while (!_stopped)
        {
            // The tick first: what was posted may take its time, and a deadline that has come does not wait for it.
            var next = Tick();
            if (RunPosted(until: next))
            {
                Sleep(next);
            }
        }

        lock (_wake)
        {
            _hasEnded = true;
        }

        RunPosted(until: TimeSpan.MaxValue);
    }

    private TimeSpan Tick()
    {
        lock (_wake)
        {
            // Whoever adds a lease while the tick looks at the others has to wake this thread again.
            _wakesAt = TimeSpan.MaxValue;
        }

        try
        {
            return _tick();
        }
        catch (Exception e)
        {
            // Whatever it was: a loop that ends renews nothing any more, for any lease.
            _fault(e);
            return _time.Uptime + AfterFault;
        }
    }

    private void Sleep(TimeSpan until)
    {
        // Armed before the clock is read again below, so that time that passes in between is not slept through.
        ArmTimer(until);
        lock (_wake)
        {
            _wakesAt = until;
            _sleeps = true;
            while (!_signalled && !_stopped)
            {
                var remaining = until == TimeSpan.MaxValue ? TimeSpan.MaxValue : until - _time.Uptime;
                if (remaining <= TimeSpan.Zero)
                {
                    break;
                }

                // Also beside a timer: a clock that only shows another date has the pool's timers, too.
                Monitor.Wait(_wake, remaining.ToTimer());
            }

            _signalled = false;
            _sleeps = false;
        }
    }

    private void ArmTimer(TimeSpan until)
    {
        if (until == TimeSpan.MaxValue)
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        else if (_timer is not null)
        {
            TimeSpan now;
            do
            {
                // Again when the clock was moved in between, as by a test: the timer would be late by as much.
                now = _time.Uptime;
                _timer.Change(until > now ? (until - now).ToTimer() : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
            while (_time.Uptime - now > MonotonicClock.Resolution);
        }
    }

    /// <summary>Runs what was posted, one piece after another.</summary>
    /// <param name="until">When the next tick is due.</param>
    /// <returns>Whether everything was run; false when the tick has become due before that.</returns>
    private bool RunPosted(TimeSpan until)
    {
        // At least one between two ticks, also when those never end to be due.
        do
        {
            (SendOrPostCallback Callback, object? State) item;
            lock (_wake)
            {
                if (!_posted.TryDequeue(out item))
                {
                    return true;
                }
            }

            try
            {
                item.Callback(item.State);
            }
            catch (Exception e)
            {
                // As for the tick: nothing that is posted here may end the thread.
                _fault(e);
            }
        }
        while (until == TimeSpan.MaxValue || _time.Uptime < until);
        return false;
    }
}
