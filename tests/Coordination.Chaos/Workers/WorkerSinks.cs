using System.Diagnostics;
using System.Diagnostics.Metrics;
using Coordination.TestKit.Clocks;
using Microsoft.Extensions.Logging;

namespace Coordination.Chaos.Workers;

/// <summary>The log, the metrics and the traces of a worker: they tell nobody anything, and throw and block when they are told to.</summary>
internal sealed class WorkerSinks : ILoggerProvider, ILogger
{
    private readonly MeterListener _metrics = new();
    private readonly ActivityListener _traces;
    private Spell _throwing = new(default, default);
    private Spell _blocking = new(default, default);
    private int _told;

    public WorkerSinks()
    {
        _metrics.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == CoordinationInstrumentation.MeterName)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _metrics.SetMeasurementEventCallback<double>((_, _, _, _) => Tell());
        _metrics.SetMeasurementEventCallback<long>((_, _, _, _) => Tell());
        _metrics.Start();
        _traces = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CoordinationInstrumentation.ActivitySourceName,

            // Whoever starts and ends a trace waits for those who listen: they throw, and do not block.
            ActivityStarted = _ => ThrowIfDue(),
            ActivityStopped = _ => ThrowIfDue(),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(_traces);
    }

    /// <summary>From now on and for some time, the sinks do not work.</summary>
    public void Begin(SinkFault fault, TimeSpan length)
    {
        var spell = new Spell(MachineClock.Now, MachineClock.Now + length);
        Volatile.Write(ref fault == SinkFault.Throw ? ref _throwing : ref _blocking, spell);
    }

    /// <summary>Tells a sink something, whatever it is.</summary>
    public void Tell()
    {
        ThrowIfDue();
        if (Volatile.Read(ref _blocking).End - MachineClock.Now is { Ticks: > 0 } rest)
        {
            Thread.Sleep(rest);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel)
    {
        ThrowIfDue();
        return true;
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Tell();

    public void Dispose()
    {
        _metrics.Dispose();
        _traces.Dispose();
    }

    /// <summary>In the first half of its time a sink throws now and then, and in the second whatever it is told.</summary>
    private void ThrowIfDue()
    {
        var (spell, now) = (Volatile.Read(ref _throwing), MachineClock.Now);
        if (now < spell.End && (now > (spell.Begin + spell.End) / 2 || Interlocked.Increment(ref _told) % 3 == 0))
        {
            throw new InvalidOperationException("A sink that does not work.");
        }
    }

    private sealed record Spell(TimeSpan Begin, TimeSpan End);
}
