using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;

namespace Coordination.Time;

/// <summary>
/// Waits for calls that may hang, as <see cref="BoundedWait"/> does, for who makes many: one timer for all of them, and waits that are used again, for a
/// timer and a wait of its own for each call would be most of what it allocates. Safe for use by several threads.
/// </summary>
internal sealed class CallLimits(TimeProvider time)
{
    private const int Kept = 128;

    private readonly Lock _gate = new();
    private Pending? _first;
    private ITimer? _timer;
    private TimeSpan _timerDueAt = TimeSpan.MaxValue;

    /// <inheritdoc cref="BoundedWait.WithinAsync"/>
    public ValueTask<T> WithinAsync<T>(Task<T> call, TimeSpan limit, bool continueOnCapturedContext, CancellationToken cancellationToken) =>
        call.IsCompleted || (limit == Timeout.InfiniteTimeSpan && !cancellationToken.CanBeCanceled)
            ? new ValueTask<T>(call)
            : Wait<T>.Begin(this, call, limit, continueOnCapturedContext, cancellationToken);

    private void Add(Pending wait, TimeSpan limit)
    {
        lock (_gate)
        {
            wait.EndsAt = time.Uptime.After(limit);
            wait.Next = _first;
            if (_first is not null)
            {
                _first.Previous = wait;
            }

            _first = wait;
            if (wait.EndsAt < _timerDueAt)
            {
                Arm(wait.EndsAt);
            }
        }
    }

    private void Remove(Pending wait)
    {
        lock (_gate)
        {
            Unlink(wait);
        }
    }

    private void Unlink(Pending wait)
    {
        if (wait.Previous is not null)
        {
            wait.Previous.Next = wait.Next;
        }
        else if (_first == wait)
        {
            _first = wait.Next;
        }

        if (wait.Next is not null)
        {
            wait.Next.Previous = wait.Previous;
        }

        (wait.Previous, wait.Next) = (null, null);
    }

    /// <summary>The timer stays armed when the wait that it is for ends: mostly the next one comes before it is due.</summary>
    private void Arm(TimeSpan moment)
    {
        _timerDueAt = moment;
        _timer ??= Detached.Run(() => time.CreateTimer(static limits => ((CallLimits)limits!).EndOverdue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        var now = time.Uptime;
        _timer.Change(moment > now ? (moment - now).ToTimer() : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void EndOverdue()
    {
        List<Pending>? due = null;
        lock (_gate)
        {
            var (now, next) = (time.Uptime, TimeSpan.MaxValue);
            for (var wait = _first; wait is not null;)
            {
                var following = wait.Next;
                if (wait.EndsAt > now)
                {
                    next = wait.EndsAt < next ? wait.EndsAt : next;
                }
                else
                {
                    Unlink(wait);
                    if (wait.TryEnd())
                    {
                        (due ??= []).Add(wait);
                    }
                }

                wait = following;
            }

            _timerDueAt = TimeSpan.MaxValue;
            if (next != TimeSpan.MaxValue)
            {
                Arm(next);
            }
        }

        due?.ForEach(static wait => wait.GiveUp());
    }

    private abstract class Pending
    {
        private int _hasEnded;

        public TimeSpan EndsAt { get; set; }

        public Pending? Next { get; set; }

        public Pending? Previous { get; set; }

        /// <summary>Whoever ends it first says how.</summary>
        public bool TryEnd() => Interlocked.Exchange(ref _hasEnded, 1) == 0;

        /// <summary>Ends the wait before the call.</summary>
        public abstract void GiveUp();

        protected void BeginAnew() => _hasEnded = 0;
    }

    private sealed class Wait<T> : Pending, IValueTaskSource<T>, IThreadPoolWorkItem
    {
        private static readonly ConcurrentQueue<Wait<T>> Pool = new();

        private readonly Action _passOn;
        private ManualResetValueTaskSourceCore<T> _source;
        private CallLimits? _limits;
        private Task<T>? _call;
        private CancellationToken _cancellationToken;
        private CancellationTokenRegistration _registration;
        private bool _hasLimit;
        private bool _hasContext;
        private bool _isReusable;

        private Wait() => _passOn = PassOn;

        public static ValueTask<T> Begin(CallLimits limits, Task<T> call, TimeSpan limit, bool continueOnCapturedContext, CancellationToken cancellationToken)
        {
            var wait = Pool.TryDequeue(out var used) ? used : new Wait<T>();
            var result = new ValueTask<T>(wait, wait._source.Version);
            (wait._limits, wait._call, wait._cancellationToken) = (limits, call, cancellationToken);
            wait._hasContext = continueOnCapturedContext && SynchronizationContext.Current is not null;
            wait._hasLimit = limit != Timeout.InfiniteTimeSpan;
            wait.BeginAnew();
            wait._registration = cancellationToken.UnsafeRegister(static state => ((Wait<T>)state!).Cancel(), wait);
            if (wait._hasLimit)
            {
                limits.Add(wait, limit);
            }

            // Last: from here on it may be over, and of use for another.
            call.ConfigureAwait(continueOnCapturedContext).GetAwaiter().UnsafeOnCompleted(wait._passOn);
            return result;
        }

        public T GetResult(short token)
        {
            try
            {
                return _source.GetResult(token);
            }
            finally
            {
                if (_isReusable)
                {
                    _isReusable = false;
                    _source.Reset();
                    (_limits, _call, _cancellationToken, _registration) = (null, null, default, default);
                    if (Pool.Count < Kept)
                    {
                        Pool.Enqueue(this);
                    }
                }
            }
        }

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);

        public override void GiveUp()
        {
            if (_hasContext)
            {
                // The caller goes on in its own context.
                Execute();
            }
            else
            {
                // The caller must not go on in here, on the thread of whoever moves the clock or cancels the token.
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }

        public void Execute()
        {
            // Nothing stays with a token that outlives this wait.
            _registration.Unregister();
            _source.SetException(_cancellationToken.IsCancellationRequested ? new OperationCanceledException(_cancellationToken) : new TimeoutException());
        }

        private void Cancel()
        {
            if (TryEnd())
            {
                _limits!.Remove(this);
                GiveUp();
            }
        }

        private void PassOn()
        {
            if (!TryEnd())
            {
                // Looking at the exception marks it as seen, for a call that nobody waits for any more.
                _ = _call!.Exception;
                return;
            }

            if (_hasLimit)
            {
                _limits!.Remove(this);
            }

            // A callback that runs just now would find the next wait here.
            _isReusable = !_cancellationToken.CanBeCanceled || _registration.Unregister();
            var call = _call!;
            if (call.IsCompletedSuccessfully)
            {
                _source.SetResult(call.Result);
            }
            else
            {
                _source.SetException(call.Exception?.InnerException ?? new TaskCanceledException(call));
            }
        }
    }
}
