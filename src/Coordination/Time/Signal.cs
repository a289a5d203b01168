namespace Coordination.Time;

/// <summary>
/// An auto-reset event to await: a signal that comes while nobody waits is kept for the next one who does. It may be set for now or
/// for later. One at a time waits; whoever likes sets it.
/// </summary>
internal sealed class Signal(TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>When the signal is set: MinValue when it is, MaxValue when nothing says that it will be.</summary>
    private TimeSpan _dueAt = TimeSpan.MaxValue;
    private Sleep? _sleep;

    private TimeProvider Time => time;

    public void Set() => Set(TimeSpan.MinValue);

    /// <summary>Sets the signal after some time, unless it is set sooner. The last one of these counts.</summary>
    public void SetIn(TimeSpan delay) => Set(time.Uptime.After(delay));

    /// <summary>Forgets a signal that was set before this moment.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            _dueAt = TimeSpan.MaxValue;
        }
    }

    /// <summary>Waits for the signal, for at most a limit. Ends early and without an exception when the token is cancelled.</summary>
    /// <remarks>Leaves nothing behind, with the token or anywhere else, however it ends: a standby waits again and again for days.</remarks>
    public async Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using (var sleep = new Sleep(this, time.Uptime.After(limit)))
        {
            lock (_gate)
            {
                _sleep = sleep;
            }

            sleep.Arm();
            using (cancellationToken.UnsafeRegister(static sleep => ((Sleep)sleep!).End(), sleep))
            {
                await sleep.Ended.ConfigureAwait(false);
            }
        }

        lock (_gate)
        {
            (_sleep, _dueAt) = (null, TimeSpan.MaxValue);
        }
    }

    private void Set(TimeSpan dueAt)
    {
        Sleep? sleep;
        lock (_gate)
        {
            if (_dueAt == TimeSpan.MinValue)
            {
                return;
            }

            _dueAt = dueAt;
            sleep = _sleep;
        }

        sleep?.Arm();
    }

    /// <summary>One wait.</summary>
    private sealed class Sleep : IDisposable
    {
        private readonly Signal _signal;
        private readonly TimeSpan _until;
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ITimer _timer;

        public Sleep(Signal signal, TimeSpan until)
        {
            (_signal, _until) = (signal, until);
            _timer = signal.Time.CreateTimer(static sleep => ((Sleep)sleep!).Arm(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public Task Ended => _ended.Task;

        private TimeSpan EndsAt
        {
            get
            {
                lock (_signal._gate)
                {
                    return _signal._dueAt < _until ? _signal._dueAt : _until;
                }
            }
        }

        public void End() => _ended.TrySetResult();

        /// <summary>Ends the wait, or sets the timer for when it will end.</summary>
        public void Arm()
        {
            var endsAt = EndsAt;
            while (!_ended.Task.IsCompleted)
            {
                var now = _signal.Time.Uptime;
                if (endsAt <= now)
                {
                    End();
                    return;
                }

                _timer.Change((endsAt - now).ToTimer(), Timeout.InfiniteTimeSpan);

                // Again when another set it meanwhile, or the clock was moved, as by a test: the timer would be late by as much.
                var latest = EndsAt;
                if (latest == endsAt && _signal.Time.Uptime - now < MonotonicClock.Resolution)
                {
                    return;
                }

                endsAt = latest;
            }
        }

        public void Dispose() => _timer.Dispose();
    }
}
