using System.Diagnostics;
using System.Diagnostics.Metrics;
using Coordination.Telemetry;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.Telemetry;

/// <summary>Logs, metrics and traces go to sinks of the application, which may do anything.</summary>
[Collection(nameof(Alone))]
public sealed class SinkTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F35")]
    public async Task A_log_that_throws_loses_no_lease_in_an_outage()
    {
        using var log = new TestLog();
        await using var node = new TestNode(configure: log.AddTo);
        var leases = new List<ILockLease>();
        for (var i = 0; i < 20; i++)
        {
            leases.Add(await node.AcquireAsync($"lock-{i}"));
        }

        log.Throws = true;
        node.Store.IsAway = true;
        node.Advance(TimeSpan.FromSeconds(7));
        node.Store.IsAway = false;
        node.Advance(TimeSpan.FromMinutes(1));

        node.Flush();
        Assert.True(log.Thrown > 0);
        Assert.All(leases, lease => Assert.Equal(LeaseState.Held, lease.State));
    }

    [Theory]
    [Failure("F35")]
    [InlineData(Sink.Log)]
    [InlineData(Sink.Metrics)]
    [InlineData(Sink.Traces)]
    public async Task A_sink_that_throws_fails_no_call_and_leaves_no_lock(Sink sink)
    {
        using var broken = new BrokenSinks(sink);
        await using var node = new TestNode(configure: broken.AddTo);
        broken.Begin(node.Services);
        for (var i = 0; i < 3; i++)
        {
            var held = await node.AcquireAsync();
            Assert.Null(await node.Provider.GetLock("work").TryAcquireAsync(Cancellation));
            var waiting = node.AcquireAsync();
            Assert.Equal(ReleaseResult.Released, await held.ReleaseAsync(Cancellation));
            await using var next = await waiting.WaitAsync(Bound, Cancellation);
            Assert.True(next.FencingToken > held.FencingToken);
        }

        node.Flush();
        Assert.True(broken.Thrown > 0, "The sink was not told of anything.");
        Assert.Null(await node.Store.GetHolderAsync("work", Cancellation));
    }

    [Theory]
    [Failure("F35")]
    [InlineData(Sink.Log)]
    [InlineData(Sink.Metrics)]
    [InlineData(Sink.Traces)]
    public async Task A_sink_that_throws_at_a_loss_keeps_no_holder_from_being_told(Sink sink)
    {
        using var broken = new BrokenSinks(sink);
        await using var node = new TestNode(configure: broken.AddTo);
        broken.Begin(node.Services);
        var leases = new[] { await node.AcquireAsync("one"), await node.AcquireAsync("two"), await node.AcquireAsync("three") };
        node.Store.FailRenewals = true;
        node.Advance(TimeSpan.FromSeconds(13));
        Assert.All(leases, lease => Assert.True(lease.Lost.IsCancellationRequested));

        node.Store.FailRenewals = false;
        await using var again = await node.AcquireAsync("four");
        node.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(LeaseState.Held, again.State);
    }

    [Fact]
    [Failure("F36")]
    [Promise("G2")]
    public async Task A_log_that_blocks_holds_up_no_signal_of_a_loss_and_no_renewal()
    {
        using var log = new TestLog();
        await using var node = new TestNode(configure: log.AddTo);
        var lost = new[] { await node.AcquireAsync("one"), await node.AcquireAsync("two") };
        var kept = await node.AcquireAsync("three", new LockOptions { LeaseDuration = TimeSpan.FromMinutes(1) });

        log.Blocks = true;
        node.Store.FailRenewals = true;
        node.Advance(TimeSpan.FromSeconds(13));
        Assert.All(lost, lease => Assert.True(lease.Lost.IsCancellationRequested));

        node.Store.FailRenewals = false;
        node.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(LeaseState.Held, kept.State);
        Assert.Equal(ReleaseResult.Released, await kept.ReleaseAsync(Cancellation).WaitAsync(Bound, Cancellation));
        await using var next = await node.AcquireAsync("three").WaitAsync(Bound, Cancellation);
        Assert.False(log.WasWaitedFor, "The node waited until the log went on.");
        log.Blocks = false;
    }

    [Fact]
    [Failure("F36")]
    public async Task What_a_sink_is_too_slow_for_is_dropped_counted_and_said()
    {
        using var log = new TestLog();
        await using var node = new TestNode(configure: log.AddTo);
        var dispatcher = node.Services.GetRequiredService<TelemetryDispatcher>();
        log.Blocks = true;
        for (var i = 0; i < TelemetryDispatcher.Capacity + 100; i++)
        {
            await using var lease = await node.AcquireAsync($"lock-{i}");
        }

        Assert.False(log.WasWaitedFor, "The node waited until the log went on.");
        Assert.True(dispatcher.Dropped > 0);
        log.Blocks = false;
        node.Flush();
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1023);
    }

    [Fact]
    [Failure("F35")]
    public async Task A_sink_that_throws_is_told_of_by_those_that_do_not()
    {
        using var log = new TestLog { Throws = true };
        await using var node = new TestNode(configure: log.AddTo);
        await using var lease = await node.AcquireAsync();
        node.Flush();
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1022);
    }

    [Fact]
    [Failure("F35", "F36")]
    public async Task Nobody_waits_for_the_line_that_tells_of_a_sink_that_throws()
    {
        using var log = new TestLog();
        await using var node = new TestNode(configure: log.AddTo);
        log.Blocks = true;

        var went = node.Services.GetRequiredService<TelemetryDispatcher>().Tell("a trace", static bool (_) => throw new InvalidOperationException("The sink is broken."), true);

        Assert.True(went);
        Assert.False(log.WasWaitedFor, "The node waited until the log went on.");
        log.Blocks = false;
        node.Flush();
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1022);
    }

    [Fact]
    [Failure("F35", "F85")]
    public async Task A_listener_that_throws_at_an_instrument_costs_it_and_nothing_else()
    {
        using var own = new TestMeterFactory();
        var thrown = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Scope == own && instrument.Name != "coordination.renewal.duration")
                {
                    Interlocked.Increment(ref thrown);
                    throw new InvalidOperationException("The sink is broken.");
                }
            },
        };
        listener.Start();
        await using var node = new TestNode(configure: services => services.AddSingleton<IMeterFactory>(own));
        var held = await node.AcquireAsync();
        Assert.Null(await node.Provider.GetLock("work").TryAcquireAsync(Cancellation));
        node.Advance(TimeSpan.FromSeconds(6));
        Assert.True(await node.Services.GetRequiredService<ILockInspector>().RevokeAsync("work", held.FencingToken, Cancellation));
        node.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(LeaseLossReason.Revoked, held.LossReason);
        await using var next = await node.AcquireAsync();

        node.Flush();
        Assert.True(thrown > 5);
        Assert.Equal(thrown, node.Services.GetRequiredService<TelemetryDispatcher>().Failed);
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1022);
    }

    [Fact]
    [Failure("F35", "F85")]
    public async Task A_listener_that_throws_at_the_end_and_a_factory_that_throws_cost_nothing()
    {
        using var own = new TestMeterFactory();
        var isBroken = true;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == own)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
            MeasurementsCompleted = (_, _) =>
            {
                if (isBroken)
                {
                    throw new InvalidOperationException("The sink is broken.");
                }
            },
        };
        listener.Start();
        var dispatcher = new TelemetryDispatcher(TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<TelemetryDispatcher>.Instance);
        var metrics = new CoordinationMetrics(own, dispatcher, nodeName: null);
        metrics.Dispose();
        Assert.Equal(1, dispatcher.Failed);
        isBroken = false;

        await using var node = new TestNode(configure: static services => services.AddSingleton<IMeterFactory, BrokenFactory>());
        await using var lease = await node.AcquireAsync();
        Assert.Equal(LeaseState.Held, lease.State);
    }

    public enum Sink
    {
        Log,
        Metrics,
        Traces,
    }

    private sealed class BrokenFactory : IMeterFactory
    {
        public Meter Create(MeterOptions options) => throw new InvalidOperationException("The sink is broken.");

        public void Dispose()
        {
        }
    }

    /// <summary>One sink that throws whatever it is told.</summary>
    private sealed class BrokenSinks(Sink sink) : IDisposable
    {
        private readonly TestLog _log = new() { Throws = sink == Sink.Log };
        private MeterListener? _metrics;
        private ActivityListener? _traces;
        private int _thrown;

        public int Thrown => _thrown + _log.Thrown;

        public void AddTo(IServiceCollection services) => _log.AddTo(services);

        public void Begin(IServiceProvider services)
        {
            if (sink == Sink.Metrics)
            {
                var factory = services.GetRequiredService<IMeterFactory>();
                _metrics = new MeterListener
                {
                    InstrumentPublished = (instrument, listener) =>
                    {
                        if (instrument.Meter.Scope == factory)
                        {
                            listener.EnableMeasurementEvents(instrument);
                        }
                    },
                };
                _metrics.SetMeasurementEventCallback<long>((_, _, _, _) => Throw());
                _metrics.SetMeasurementEventCallback<double>((_, _, _, _) => Throw());
                _metrics.Start();
            }
            else if (sink == Sink.Traces)
            {
                _traces = new ActivityListener
                {
                    ShouldListenTo = source => source.Name == CoordinationInstrumentation.ActivitySourceName,
                    Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                    ActivityStarted = _ => Throw(),
                    ActivityStopped = _ => Throw(),
                };
                ActivitySource.AddActivityListener(_traces);
            }
        }

        public void Dispose()
        {
            _metrics?.Dispose();
            _traces?.Dispose();
            _log.Dispose();
        }

        private void Throw()
        {
            Interlocked.Increment(ref _thrown);
            throw new InvalidOperationException("The sink is broken.");
        }
    }

    /// <summary>A log that throws, or blocks, when it is told to. It blocks for a bounded time, and once, so that a test that waits for it ends.</summary>
    private sealed class TestLog : ILoggerProvider, ILogger
    {
        private readonly ManualResetEventSlim _open = new(initialState: true);
        private int _thrown;

        public volatile bool Throws;

        public int Thrown => _thrown;

        public bool WasWaitedFor { get; private set; }

        public bool Blocks
        {
            set
            {
                if (value)
                {
                    _open.Reset();
                }
                else
                {
                    _open.Set();
                }
            }
        }

        /// <summary>Before the others, because one log that wants a line is asked for all.</summary>
        public void AddTo(IServiceCollection services) => services.Insert(0, ServiceDescriptor.Singleton<ILoggerProvider>(this));

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel)
        {
            Block();
            return true;
        }

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Block();
            if (Throws)
            {
                Interlocked.Increment(ref _thrown);
                throw new IOException("The disk is full.");
            }
        }

        public void Dispose() => _open.Set();

        private void Block()
        {
            if (!_open.Wait(Bound))
            {
                WasWaitedFor = true;
                _open.Set();
            }
        }
    }
}
