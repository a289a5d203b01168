using System.Diagnostics;
using System.Diagnostics.Metrics;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.Telemetry;

/// <summary>Metrics, traces and logs of locks that several may hold.</summary>
public sealed class SharedLockTelemetryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_call_for_a_semaphore_counts_as_waiting_with_a_turn_or_behind_one()
    {
        await using var node = new TestNode();
        using var waiting = new MetricCollector<long>(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.call.waiting", node.Clock);
        using var active = new MetricCollector<long>(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.lease.active", node.Clock);
        var semaphore = node.Provider.GetSemaphore("work", 2);
        var held = new[] { await semaphore.AcquireAsync(Token), await semaphore.AcquireAsync(Token) };
        using var cancelling = new CancellationTokenSource();
        Task[] calls = [.. Enumerable.Range(0, 3).Select(_ => semaphore.AcquireAsync(cancelling.Token)), semaphore.AsStandby().AcquireAsync(cancelling.Token)];
        Assert.Equal((3, 1, 2), (Observe(waiting, "user"), Observe(waiting, "standby"), Observe(active, null)));
        await cancelling.CancelAsync();
        foreach (var call in calls)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }

        Assert.Equal((0, 0), (Observe(waiting, "user"), Observe(waiting, "standby")));
        await held[0].DisposeAsync();
        Assert.Equal(1, Observe(active, null));
    }

    [Fact]
    public async Task A_name_in_other_use_counts_as_held_however_it_was_asked_for()
    {
        var stopped = new List<Activity>();
        var lockName = Guid.NewGuid().ToString();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CoordinationInstrumentation.ActivitySourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (stopped)
                {
                    stopped.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var node = new TestNode();
        using var acquired = new MetricCollector<double>(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.acquire.duration", node.Clock);
        await using var held = await node.Provider.GetSemaphore(lockName, 2).AcquireAsync(Token);
        var other = node.Provider.GetReaderWriterLock(lockName).Read;
        await Assert.ThrowsAsync<LockStoreException>(() => other.TryAcquireAsync(Token));
        await Assert.ThrowsAsync<LockStoreException>(() => other.AcquireAsync(Token));
        await Assert.ThrowsAsync<LockStoreException>(() => other.TryAcquireAsync(TimeSpan.FromMinutes(1), Token));
        node.Flush();
        Assert.Equal(["granted", "held", "held", "held"], acquired.GetMeasurementSnapshot().Select(measurement => measurement.Tags["coordination.acquire.outcome"]));
        lock (stopped)
        {
            var traces = stopped.Where(activity => Equals(activity.GetTagItem("coordination.lock.name"), lockName) && activity.OperationName == "coordination.acquire").ToArray();
            Assert.Equal(["granted", "held", "held", "held"], traces.Select(activity => activity.GetTagItem("coordination.acquire.outcome")));
        }

        // The store is there, and said what it found.
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Holds_of_one_lock_beside_each_other_are_logged_and_traced_each_by_its_token()
    {
        await using var node = new TestNode();
        var semaphore = node.Provider.GetSemaphore("work", 2);
        var (first, second) = (await semaphore.AcquireAsync(Token), await semaphore.AcquireAsync(Token));
        await second.DisposeAsync();
        await first.DisposeAsync();
        node.Flush();
        foreach (var lease in new[] { first, second })
        {
            Assert.Equal(2, node.Logs.GetSnapshot().Count(line => line.Message.Contains($"{lease.FencingToken}", StringComparison.Ordinal)));
        }
    }

    private static long Observe(MetricCollector<long> collector, string? kind)
    {
        collector.RecordObservableInstruments();
        return collector.GetMeasurementSnapshot().Last(measurement => kind is null || Equals(measurement.Tags["coordination.call.kind"], kind)).Value;
    }
}
