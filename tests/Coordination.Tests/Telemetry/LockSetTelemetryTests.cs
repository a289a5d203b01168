using System.Diagnostics;
using System.Diagnostics.Metrics;
using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Coordination.Tests.Telemetry;

/// <summary>A call for several locks is one, as its caller sees it: in one step, one after the other, or first in this way and then in that.</summary>
public sealed class LockSetTelemetryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_for_several_locks_counts_once_with_the_outcome_that_its_caller_sees(bool inOneStep)
    {
        var traces = new List<Activity>();
        var first = $"a-{Guid.NewGuid()}";
        string[] names = [first, "b", "c"];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CoordinationInstrumentation.ActivitySourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (traces)
                {
                    traces.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        var clock = new TestClock();
        var store = new ControllableLockStore(clock);
        await using var node = new TestNode(clock, store, actualStore: inOneStep ? null : new OneByOne(store));
        await using var other = new TestNode(clock, store);
        using var acquired = new MetricCollector<double>(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.acquire.duration", clock);

        await (await node.Provider.AcquireAllAsync(names, cancellationToken: Token)).DisposeAsync();
        await (await node.Provider.TryAcquireAllAsync(names, cancellationToken: Token))!.DisposeAsync();
        await using (await other.AcquireAsync("c"))
        {
            Assert.Null(await node.Provider.TryAcquireAllAsync(names, cancellationToken: Token));
            var tooLong = node.Provider.TryAcquireAllAsync(names, TimeSpan.FromSeconds(2), cancellationToken: Token);
            Assert.True(node.AdvanceUntil(() => tooLong.IsCompleted, TimeSpan.FromSeconds(4)));
            Assert.Null(await tooLong);
            using var calling = new CancellationTokenSource();
            Task<ILockSetLease> cancelled = null!;
            await node.UntilAsleepAsync(() => cancelled = node.Provider.AcquireAllAsync(names, cancellationToken: calling.Token));
            await calling.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        }

        var held = await other.AcquireAsync("b");
        Task<ILockSetLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.Provider.AcquireAllAsync(names, cancellationToken: Token));
        await held.DisposeAsync();
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(20)));
        await (await waiting).DisposeAsync();
        await using (await other.Provider.GetSemaphore("b", 2).AcquireAsync(Token))
        {
            await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.TryAcquireAllAsync(names, cancellationToken: Token));
        }

        node.Store.IsAway = true;
        var failing = node.Provider.TryAcquireAllAsync(names, cancellationToken: Token);
        Assert.True(node.AdvanceUntil(() => failing.IsCompleted, TimeSpan.FromSeconds(10)));
        await Assert.ThrowsAsync<LockStoreException>(() => failing);

        node.Flush();
        string[] outcomes = ["granted", "granted", "held", "timed_out", "cancelled", "granted", "held", "failed"];
        Assert.Equal(outcomes, acquired.GetMeasurementSnapshot().Select(measurement => measurement.Tags["coordination.acquire.outcome"]));
        lock (traces)
        {
            var told = traces.Where(trace => trace.OperationName == "coordination.acquire" && Equals(trace.GetTagItem("coordination.lock.name"), first));
            Assert.Equal(outcomes, told.Select(trace => trace.GetTagItem("coordination.acquire.outcome")));
        }
    }

    private sealed class OneByOne(ILockStore inner) : DelegatingLockStore(inner)
    {
        public override Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<AcquireReply>?>(null);
    }
}
