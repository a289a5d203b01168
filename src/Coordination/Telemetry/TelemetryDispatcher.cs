using System.Collections.Concurrent;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Telemetry;

/// <summary>
/// The one door from a node to its logs, metrics and traces. Behind it are sinks of the application, which may throw, block or be disposed: one that
/// throws costs what it was told and nothing else, and nothing of the node waits for one.
/// </summary>
/// <remarks>
/// What is posted is told by a thread of the pool, in the order in which it was posted, and in the caller's ExecutionContext, so that log scopes and
/// traces are those of the caller. Up to <see cref="Capacity"/> items wait; what comes while so many do is dropped and counted. A singleton of the
/// container, for packages that build on this one. Safe for use by several threads.
/// </remarks>
public sealed class TelemetryDispatcher : IThreadPoolWorkItem
{
    /// <summary>How many items wait at most: 10,000.</summary>
    public const int Capacity = 10_000;

    /// <summary>How often it is said that sinks throw.</summary>
    private static readonly TimeSpan FailureInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<Item> _queue = new();
    private readonly TimeProvider _time;
    private readonly ILogger<TelemetryDispatcher> _logger;
    private int _waiting;
    private int _isTelling;
    private long _dropped;
    private long _droppedSaid;
    private long _failed;
    private long _nextFailureLine = long.MinValue;

    /// <summary>Creates the door of a node. The container does that.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of sinks that throw, and of what was dropped.</param>
    public TelemetryDispatcher(TimeProvider time, ILogger<TelemetryDispatcher> logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        _time = time;
        _logger = logger;
    }

    /// <summary>How many items were dropped because sinks were too slow.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>How many items a sink threw at.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Whether everything that was posted has been told.</summary>
    public bool IsIdle => Volatile.Read(ref _waiting) == 0 && Volatile.Read(ref _isTelling) == 0;

    /// <summary>A logger whose lines go through this door.</summary>
    /// <param name="logger">Where they go.</param>
    /// <exception cref="ArgumentNullException"><paramref name="logger"/> is null.</exception>
    public ILogger Wrap(ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(logger);
        return new QueuedLogger(logger, this);
    }

    /// <summary>Tells a sink soon, on another thread.</summary>
    /// <param name="state">What <paramref name="tell"/> gets.</param>
    /// <param name="tell">Tells it. May throw and may block.</param>
    /// <exception cref="ArgumentNullException"><paramref name="tell"/> is null.</exception>
    public void Post<TState>(TState state, Action<TState> tell)
    {
        ArgumentNullException.ThrowIfNull(tell);
        if (Interlocked.Increment(ref _waiting) > Capacity)
        {
            Interlocked.Decrement(ref _waiting);
            Interlocked.Increment(ref _dropped);
            return;
        }

        _queue.Enqueue(new Item(() => tell(state), ExecutionContext.Capture()));
        if (Interlocked.Exchange(ref _isTelling, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Asks or tells a sink now, on the caller's thread: for what the caller goes on with, such as a trace that it starts.</summary>
    /// <param name="state">What <paramref name="tell"/> gets.</param>
    /// <param name="tell">Tells it. May throw; the caller waits for it.</param>
    /// <param name="otherwise">What the caller goes on with when it throws.</param>
    /// <exception cref="ArgumentNullException"><paramref name="tell"/> is null.</exception>
    public TResult Tell<TState, TResult>(TState state, Func<TState, TResult> tell, TResult otherwise)
    {
        ArgumentNullException.ThrowIfNull(tell);
        try
        {
            return tell(state);
        }
        catch (Exception e)
        {
            // Whatever a sink throws is no reason to fail what it is told about. The line that says so may block, and so is not for the caller to write.
            if (IsToBeSaid(out var count))
            {
                Post((_logger, count, e.Message), static line => Log.SinkThrew(line._logger, line.count, line.Message));
            }

            return otherwise;
        }
    }

    /// <summary>Waits until everything that was posted by now has been told.</summary>
    /// <param name="limit">How long to wait at most: a sink may block for ever.</param>
    /// <returns>Whether it was all told in that time.</returns>
    public async Task<bool> FlushAsync(TimeSpan limit)
    {
        DurationRange.Timeout.Validate(nameof(limit), nameof(limit), limit);
        if (IsIdle)
        {
            return true;
        }

        var told = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(told, static told => told.TrySetResult(true));
        try
        {
            return await told.Task.WithinAsync(limit, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        do
        {
            while (_queue.TryDequeue(out var item))
            {
                TellNow(item);
                Interlocked.Decrement(ref _waiting);
            }

            SayDropped();
            Volatile.Write(ref _isTelling, 0);
        }
        while (!_queue.IsEmpty && Interlocked.Exchange(ref _isTelling, 1) == 0);
    }

    private void TellNow(Item item)
    {
        if (item.Context is { } context)
        {
            ExecutionContext.Run(context, _ => TellGuarded(item.Tell), null);
        }
        else
        {
            TellGuarded(item.Tell);
        }
    }

    private void SayDropped()
    {
        var count = Dropped - _droppedSaid;
        if (count > 0)
        {
            _droppedSaid += count;
            TellGuarded(() => Log.TelemetryDropped(_logger, count));
        }
    }

    private void TellGuarded(Action tell)
    {
        try
        {
            tell();
        }
        catch (Exception e)
        {
            // Whatever a sink throws is no reason to stop telling.
            if (IsToBeSaid(out var count))
            {
                Say(count, e.Message);
            }
        }
    }

    /// <summary>Counts a sink that threw.</summary>
    /// <returns>Whether it is time for a line about it.</returns>
    private bool IsToBeSaid(out long count)
    {
        count = Interlocked.Increment(ref _failed);
        var now = _time.Uptime.Ticks;
        var nextLine = Interlocked.Read(ref _nextFailureLine);
        return now >= nextLine && Interlocked.CompareExchange(ref _nextFailureLine, now + FailureInterval.Ticks, nextLine) == nextLine;
    }

    private void Say(long count, string message)
    {
        try
        {
            Log.SinkThrew(_logger, count, message);
        }
        catch (Exception)
        {
            // It is the log that throws: there is nothing left to tell, and it is counted.
        }
    }

    private readonly record struct Item(Action Tell, ExecutionContext? Context);

    /// <summary>A logger whose lines are written by another thread, so that nobody waits for them and no exception of theirs reaches anybody.</summary>
    private sealed class QueuedLogger : ILogger
    {
        private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(1);

        private readonly ILogger _logger;
        private readonly TelemetryDispatcher _dispatcher;
        private volatile int _enabled = int.MaxValue;
        private long _askedAt = -KnownFor.Ticks;

        public QueuedLogger(ILogger logger, TelemetryDispatcher dispatcher) => (_logger, _dispatcher) = (logger, dispatcher);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => _dispatcher.Tell((_logger, state), static told => told._logger.BeginScope(told.state), null);

        /// <summary>As the sink said a moment ago, and at first yes: it is asked by another thread, for it may block in this, too.</summary>
        public bool IsEnabled(LogLevel logLevel)
        {
            var now = _dispatcher._time.Uptime.Ticks;
            var askedAt = Interlocked.Read(ref _askedAt);
            if (now - askedAt >= KnownFor.Ticks && Interlocked.CompareExchange(ref _askedAt, now, askedAt) == askedAt)
            {
                _dispatcher.Post(this, static logger => logger.Ask());
            }

            return (_enabled & (1 << (int)logLevel)) != 0;
        }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _dispatcher.Post(
                (_logger, logLevel, eventId, state, exception, formatter),
                static line =>
                {
                    if (line._logger.IsEnabled(line.logLevel))
                    {
                        line._logger.Log(line.logLevel, line.eventId, line.state, line.exception, line.formatter);
                    }
                });

        private void Ask()
        {
            var enabled = 0;
            for (var level = LogLevel.Trace; level < LogLevel.None; level++)
            {
                // What cannot be asked is told, and fails there.
                enabled |= _dispatcher.Tell((_logger, level), static asked => asked._logger.IsEnabled(asked.level), true) ? 1 << (int)level : 0;
            }

            _enabled = enabled;
        }
    }
}
