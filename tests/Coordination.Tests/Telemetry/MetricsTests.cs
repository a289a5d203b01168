using System.Diagnostics.Metrics;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Coordination.Tests.Telemetry;

public sealed class MetricsTests
{
    [Fact]
    public async Task A_lease_is_counted_while_it_is_held_and_measured_when_it_ends()
    {
        await using var node = new TestNode();
        using var active = Collect<long>(node, "coordination.lease.active");
        using var acquired = Collect<double>(node, "coordination.acquire.duration");
        using var held = Collect<double>(node, "coordination.lease.hold.duration");
        using var renewed = Collect<double>(node, "coordination.renewal.duration");
        using var remaining = Collect<double>(node, "coordination.renewal.remaining");
        using var lost = Collect<long>(node, "coordination.lease.lost");

        var lease = await node.AcquireAsync();
        Assert.Equal(1, Observe(active));
        node.Advance(TimeSpan.FromSeconds(6));
        await lease.ReleaseAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, Observe(active));
        Assert.Equal("granted", Assert.Single(Read(node, acquired)).Tags["coordination.acquire.outcome"]);
        Assert.Equal(6, Assert.Single(Read(node, held)).Value, 0.1);
        Assert.Equal("replied", Assert.Single(Read(node, renewed)).Tags["coordination.renewal.outcome"]);
        Assert.Equal(12, Assert.Single(Read(node, remaining)).Value, 0.1);
        Assert.Empty(Read(node, lost));
    }

    [Fact]
    public async Task A_loss_is_counted_by_its_reason()
    {
        await using var node = new TestNode();
        using var lost = Collect<long>(node, "coordination.lease.lost");
        var lease = await node.AcquireAsync();
        node.Store.LoseLock("work");
        node.Advance(TimeSpan.FromSeconds(6));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal("not_owner", Assert.Single(Read(node, lost)).Tags["coordination.loss.reason"]);
    }

    [Fact]
    public async Task A_release_by_an_operator_is_counted_and_so_is_the_loss_by_its_reason()
    {
        await using var node = new TestNode();
        using var releases = Collect<long>(node, "coordination.lock.revocations");
        using var lost = Collect<long>(node, "coordination.lease.lost");
        var lease = await node.AcquireAsync();
        var inspector = node.Services.GetRequiredService<ILockInspector>();
        Assert.False(await inspector.RevokeAsync("work", lease.FencingToken - 1, TestContext.Current.CancellationToken));
        Assert.Empty(Read(node, releases));
        Assert.True(await inspector.RevokeAsync("work", lease.FencingToken, TestContext.Current.CancellationToken));

        // It never waited, so it does not listen, and learns of it by its next renewal.
        node.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(1, Assert.Single(Read(node, releases)).Value);
        Assert.Equal(LeaseLossReason.Revoked, lease.LossReason);
        Assert.Equal("revoked", Assert.Single(Read(node, lost)).Tags["coordination.loss.reason"]);
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1007);
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1004 && line.Message.Contains("Revoked", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Calls_are_counted_while_they_wait()
    {
        await using var node = new TestNode();
        using var waiters = Collect<long>(node, "coordination.call.waiting");
        using var acquired = Collect<double>(node, "coordination.acquire.duration");
        await using var held = await node.AcquireAsync();
        using var cancellation = new CancellationTokenSource();
        var waiting = node.Provider.GetLock("work").AcquireAsync(cancellation.Token);
        Assert.Equal(1, Observe(waiters, "user"));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, Observe(waiters, "user"));
        Assert.Equal("cancelled", Read(node, acquired)[^1].Tags["coordination.acquire.outcome"]);
        Assert.Null(await node.Provider.GetLock("work").TryAcquireAsync(TestContext.Current.CancellationToken));
        Assert.Equal("held", Read(node, acquired)[^1].Tags["coordination.acquire.outcome"]);
    }

    [Fact]
    [Failure("F85")]
    public async Task Waits_of_a_standby_are_told_apart_from_calls_of_user_code()
    {
        await using var node = new TestNode();
        using var waiters = Collect<long>(node, "coordination.call.waiting");
        using var acquired = Collect<double>(node, "coordination.acquire.duration");
        var held = await node.AcquireAsync();
        var standsBy = node.Provider.GetLock("work").AsStandby().AcquireAsync(TestContext.Current.CancellationToken);
        var behind = node.Provider.GetLock("work").AsStandby().AcquireAsync(TestContext.Current.CancellationToken);
        var call = node.AcquireAsync();
        Assert.Equal(2, Observe(waiters, "standby"));
        Assert.Equal(1, Observe(waiters, "user"));

        await held.DisposeAsync();
        await (await standsBy).DisposeAsync();
        await (await behind).DisposeAsync();
        await (await call).DisposeAsync();
        Assert.Equal(["user", "standby", "standby", "user"], Read(node, acquired).Select(measurement => measurement.Tags["coordination.call.kind"]));
        Assert.Equal(0, Observe(waiters, "standby"));
    }

    [Fact]
    [Failure("F85")]
    public async Task Histograms_come_with_buckets_for_seconds()
    {
        await using var node = new TestNode();
        var histograms = new List<Histogram<double>>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == CoordinationInstrumentation.MeterName && instrument is Histogram<double> histogram)
                {
                    lock (histograms)
                    {
                        histograms.Add(histogram);
                    }
                }
            },
        };
        listener.Start();
        await using var lease = await node.AcquireAsync();
        lock (histograms)
        {
            Assert.NotEmpty(histograms);
            Assert.All(histograms, histogram =>
            {
                var buckets = histogram.Advice!.HistogramBucketBoundaries!;

                // A reply within milliseconds, and a wait of seconds, are in buckets of their own.
                Assert.True(buckets.Count(bucket => bucket < 1) >= 5, histogram.Name);
                Assert.Equal(buckets.Order(), buckets);
            });
        }
    }

    [Fact]
    public async Task Instruments_follow_the_naming_rules_and_carry_no_lock_name()
    {
        await using var node = new TestNode();
        var factory = node.Services.GetRequiredService<IMeterFactory>();
        var instruments = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == CoordinationInstrumentation.MeterName && instrument.Meter.Scope == factory)
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();
        await using var lease = await node.AcquireAsync();
        Assert.Equal(11, instruments.Count);
        Assert.All(instruments, instrument => Assert.Matches("^coordination(\\.[a-z]+)+$", instrument.Name));
        Assert.All(instruments, instrument => Assert.Matches("^(s|\\{[a-z]+\\})$", instrument.Unit));
        Assert.All(instruments, instrument => Assert.False(string.IsNullOrEmpty(instrument.Description)));
    }

    private static MetricCollector<T> Collect<T>(TestNode node, string name)
        where T : struct => new(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, name, node.Clock);

    private static long Observe(MetricCollector<long> collector)
    {
        collector.RecordObservableInstruments();
        return collector.LastMeasurement!.Value;
    }

    private static long Observe(MetricCollector<long> collector, string kind)
    {
        collector.RecordObservableInstruments();
        return collector.GetMeasurementSnapshot().Last(measurement => Equals(measurement.Tags["coordination.call.kind"], kind)).Value;
    }

    private static IReadOnlyList<CollectedMeasurement<T>> Read<T>(TestNode node, MetricCollector<T> collector)
        where T : struct
    {
        node.Flush();
        return collector.GetMeasurementSnapshot();
    }
}
