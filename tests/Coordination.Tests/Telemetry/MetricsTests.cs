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
        Assert.Equal(1, active.GetMeasurementSnapshot().EvaluateAsCounter());
        node.Advance(TimeSpan.FromSeconds(6));
        await lease.ReleaseAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, active.GetMeasurementSnapshot().EvaluateAsCounter());
        Assert.Equal("granted", Assert.Single(acquired.GetMeasurementSnapshot()).Tags["coordination.acquire.outcome"]);
        Assert.Equal(6, Assert.Single(held.GetMeasurementSnapshot()).Value, 0.1);
        Assert.Equal("replied", Assert.Single(renewed.GetMeasurementSnapshot()).Tags["coordination.renewal.outcome"]);
        Assert.Equal(12, Assert.Single(remaining.GetMeasurementSnapshot()).Value, 0.1);
        Assert.Empty(lost.GetMeasurementSnapshot());
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
        Assert.Equal("not_owner", Assert.Single(lost.GetMeasurementSnapshot()).Tags["coordination.loss.reason"]);
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
        Assert.Empty(releases.GetMeasurementSnapshot());
        Assert.True(await inspector.RevokeAsync("work", lease.FencingToken, TestContext.Current.CancellationToken));

        // It never waited, so it does not listen, and learns of it by its next renewal.
        node.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(1, Assert.Single(releases.GetMeasurementSnapshot()).Value);
        Assert.Equal(LeaseLossReason.Revoked, lease.LossReason);
        Assert.Equal("revoked", Assert.Single(lost.GetMeasurementSnapshot()).Tags["coordination.loss.reason"]);
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
        Assert.Equal(1, waiters.GetMeasurementSnapshot().EvaluateAsCounter());
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, waiters.GetMeasurementSnapshot().EvaluateAsCounter());
        Assert.Equal("cancelled", acquired.GetMeasurementSnapshot()[^1].Tags["coordination.acquire.outcome"]);
        Assert.Null(await node.Provider.GetLock("work").TryAcquireAsync(TestContext.Current.CancellationToken));
        Assert.Equal("held", acquired.GetMeasurementSnapshot()[^1].Tags["coordination.acquire.outcome"]);
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
        Assert.Equal(8, instruments.Count);
        Assert.All(instruments, instrument => Assert.Matches("^coordination(\\.[a-z]+)+$", instrument.Name));
        Assert.All(instruments, instrument => Assert.Matches("^(s|\\{[a-z]+\\})$", instrument.Unit));
        Assert.All(instruments, instrument => Assert.False(string.IsNullOrEmpty(instrument.Description)));
    }

    private static MetricCollector<T> Collect<T>(TestNode node, string name)
        where T : struct => new(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, name, node.Clock);
}
