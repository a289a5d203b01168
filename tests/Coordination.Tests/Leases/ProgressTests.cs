using Coordination.Leases;
using Coordination.Telemetry;
using Coordination.Testing;
using Coordination.Time;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.Leases;

/// <summary>Leases that depend on reports of progress, with the default timings: renewed every 5 s, lost 12 s after the last renewal.</summary>
public sealed class ProgressTests
{
    private static readonly LockOptions Options = new() { ProgressTimeout = TimeSpan.FromSeconds(7) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lease_is_renewed_for_as_long_as_progress_is_reported()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        for (var i = 0; i < 10; i++)
        {
            node.Advance(TimeSpan.FromSeconds(6));
            lease.ReportProgress();
        }

        Assert.Equal(LeaseState.Held, lease.State);
        Assert.InRange(node.Store.GetCallCount(StoreOperation.Renew), 11, 13);
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_lease_with_no_report_is_renewed_no_more_and_lost_at_its_deadline()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        node.Advance(TimeSpan.FromSeconds(11));

        // Renewed at 5 s, and not at 10 s, for the grant is 7 s old by then.
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Renew));
        Assert.Equal((LeaseState.Held, TimeSpan.FromSeconds(6)), (lease.State, lease.Remaining));
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(6)));
        Assert.Equal((LeaseState.Lost, LeaseLossReason.NoProgress), (lease.State, lease.LossReason));
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Renew));

        node.Settle();
        var lines = node.Logs.GetSnapshot();
        Assert.Contains("no progress for more than 00:00:07", Assert.Single(lines, line => line.Id.Id == 1014).Message, StringComparison.Ordinal);
        Assert.Contains("NoProgress, for its holder reported no progress in time", Assert.Single(lines, line => line.Id.Id == 1004).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_before_the_loss_makes_the_renewals_go_on_at_once()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        node.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Renew));

        lease.ReportProgress();
        Assert.True(node.AdvanceUntil(() => node.Store.GetCallCount(StoreOperation.Renew) == 2, TimeSpan.FromMilliseconds(20)));
        Assert.True(lease.Remaining > TimeSpan.FromSeconds(11.9));
        node.Settle();
        Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1015);

        // And they end again where it was the last one.
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(20)));
        Assert.Equal(LeaseLossReason.NoProgress, lease.LossReason);
    }

    [Fact]
    public async Task A_lease_that_waits_for_a_report_is_looked_at_when_its_deadline_comes()
    {
        await using var node = new TestNode();
        var handle = (LeaseHandle)await node.AcquireAsync(options: Options);
        node.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(handle.Remaining, handle.Lease.NextEvent - node.Clock.Uptime);
    }

    [Fact]
    public async Task A_renewal_by_hand_with_no_progress_extends_nothing_and_says_so()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        node.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(RenewalResult.NoProgress, await lease.RenewAsync(Token));
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Renew));

        lease.ReportProgress();
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Token));
        Assert.Equal(TimeSpan.FromSeconds(12), lease.Remaining);
    }

    /// <summary>The watchdog may not have run yet.</summary>
    [Fact]
    [Promise("G2")]
    public async Task A_report_after_the_deadline_revives_nothing_and_changes_no_reason()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        node.Advance(TimeSpan.FromSeconds(16));
        node.Watchdog.Remove(((LeaseHandle)lease).Lease);
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        lease.ReportProgress();
        Assert.Equal((LeaseState.Lost, LeaseLossReason.NoProgress), (lease.State, lease.LossReason));
        lease.ReportProgress();
        Assert.Equal(RenewalResult.NotHeld, await lease.RenewAsync(Token));
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Renew));
    }

    [Fact]
    public async Task A_report_on_a_released_lease_does_nothing()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        node.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Token));
        lease.ReportProgress();
        node.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((LeaseState.Released, 1), (lease.State, node.Store.GetCallCount(StoreOperation.Renew)));
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Id.Id == 1015);
    }

    /// <summary>No renewal was left out for want of a report: what kept the work from reporting kept the node from renewing.</summary>
    [Fact]
    [Failure("F89")]
    public async Task A_process_that_did_not_run_is_not_called_one_without_progress()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        node.Settle();
        node.Store.Hang = true;
        node.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(2)));
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
    }

    [Fact]
    public async Task Without_the_option_no_report_is_needed()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        lease.AsReadOnly().ReportProgress();
        node.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    public async Task A_report_allocates_nothing_and_counts_by_way_of_a_read_only_lease()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: Options);
        var work = lease.AsReadOnly();
        node.Advance(TimeSpan.FromSeconds(4));
        work.ReportProgress();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            work.ReportProgress();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        node.Advance(TimeSpan.FromSeconds(6.5));
        Assert.Equal(2, node.Store.GetCallCount(StoreOperation.Renew));
    }

    /// <summary>Whichever is first, the lease is renewed: the one who begins renewals sees the report, or who reports sees that there was none.</summary>
    [Fact]
    public async Task A_report_in_the_moment_in_which_renewals_end_is_not_missed()
    {
        await using var node = new TestNode();
        var handle = (LeaseHandle)await node.AcquireAsync(options: Options);
        var lease = handle.Lease;
        node.Watchdog.Remove(lease);
        using var both = new Barrier(2);
        for (var round = 0; round < 2_000; round++)
        {
            node.Clock.Advance(TimeSpan.FromSeconds(8));
            var renewing = Task.Run(() =>
            {
                both.SignalAndWait(Token);
                return lease.TryBeginRenewal(Task.FromResult(true));
            }, Token);
            both.SignalAndWait(Token);
            handle.ReportProgress();
            if (!await renewing)
            {
                Assert.True(lease.NextEvent <= node.Clock.Uptime, "Nobody looks at it before its deadline.");
                Assert.True(lease.TryBeginRenewal(Task.FromResult(true)));
            }

            Assert.True(lease.ConfirmRenewal(node.Clock.Reading));
            lease.EndRenewal();
        }
    }

    [Fact]
    public void Each_reason_for_a_loss_has_a_name_in_the_metrics()
    {
        var reasons = Enum.GetValues<LeaseLossReason>();
        Assert.Equal(reasons.Length, reasons.Select(CoordinationMetrics.Describe).Distinct().Count());
        Assert.Equal("no_progress", CoordinationMetrics.Describe(LeaseLossReason.NoProgress));
    }
}
