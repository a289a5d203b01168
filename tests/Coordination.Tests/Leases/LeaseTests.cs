using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Telemetry;
using Coordination.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Tests.Leases;

public sealed class LeaseTests
{
    private static readonly LeaseTimings Timings = LeaseTimings.Of(new CoordinationOptions());

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeLogger<ILockLease> _log = new();
    private readonly LeaseTelemetry _telemetry;

    public LeaseTests()
    {
        var dispatcher = new TelemetryDispatcher(_clock, NullLogger<TelemetryDispatcher>.Instance);
        _telemetry = new LeaseTelemetry(_log, new CoordinationMetrics(new TestMeterFactory(), dispatcher, nodeName: null), dispatcher);
    }

    [Fact]
    [Promise("G2")]
    [Failure("F12")]
    public void The_deadline_counts_from_before_the_request_was_sent()
    {
        var sentAt = _clock.Reading;
        _clock.Advance(TimeSpan.FromSeconds(2));
        var lease = Create(sentAt);
        Assert.Equal(TimeSpan.FromSeconds(10), lease.Remaining);

        sentAt = _clock.Reading;
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.True(lease.ConfirmRenewal(sentAt));
        Assert.Equal(TimeSpan.FromSeconds(8), lease.Remaining);
    }

    [Fact]
    [Promise("G2")]
    public void The_loss_is_tripped_the_safety_margin_before_the_lease_ends()
    {
        var lease = Create(_clock.Reading);
        _clock.Advance(Timings.Duration - Timings.SafetyMargin - TimeSpan.FromTicks(1));
        Assert.True(lease.LoseIfOverdue());
        Assert.False(lease.Lost.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.False(lease.LoseIfOverdue());
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
        Assert.Equal(TimeSpan.Zero, lease.Remaining);
    }

    [Fact]
    [Failure("F12")]
    public void A_confirmation_after_the_deadline_does_not_revive_the_lease()
    {
        var lease = Create(_clock.Reading);
        var sentAt = _clock.Reading;
        _clock.Advance(Timings.Duration - Timings.SafetyMargin);
        Assert.False(lease.ConfirmRenewal(sentAt));
        Assert.Equal(LeaseState.Lost, lease.State);
        Assert.True(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    [Failure("F12")]
    public void An_older_confirmation_does_not_move_the_deadline_back()
    {
        var lease = Create(_clock.Reading);
        var early = _clock.Reading;
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True(lease.ConfirmRenewal(_clock.Reading));
        Assert.True(lease.ConfirmRenewal(early));
        Assert.Equal(TimeSpan.FromSeconds(12), lease.Remaining);
    }

    [Fact]
    [Failure("F11")]
    public void A_failed_renewal_puts_the_lease_in_doubt_and_a_confirmed_one_ends_the_doubt()
    {
        var lease = Create(_clock.Reading);
        lease.FailRenewal();
        Assert.Equal(LeaseState.InDoubt, lease.State);
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.True(lease.ConfirmRenewal(_clock.Reading));
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    [Failure("F14")]
    public void The_state_that_is_read_right_after_a_pause_is_lost()
    {
        var lease = Create(_clock.Reading);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(LeaseState.Lost, lease.State);
        Assert.True(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    [Failure("F19")]
    public void The_deadline_does_not_depend_on_the_wall_clock()
    {
        var time = new WallClockShift(_clock);
        var lease = Create(time.Reading, time: time);

        // Ahead it could have been a suspension: in doubt, and not lost.
        time.Shift = TimeSpan.FromDays(1);
        Assert.Equal((LeaseState.InDoubt, false), (lease.State, lease.Lost.IsCancellationRequested));
        time.Shift = TimeSpan.FromDays(-1);
        Assert.Equal(TimeSpan.FromSeconds(12), lease.Remaining);
        _clock.Advance(TimeSpan.FromSeconds(12));
        Assert.Equal(LeaseState.Lost, lease.State);
    }

    [Fact]
    public void Lost_is_final()
    {
        var lease = Create(_clock.Reading);
        lease.Lose(LeaseLossReason.NotOwner);
        Assert.False(lease.ConfirmRenewal(_clock.Reading));
        lease.BeginRelease();
        lease.Lose(LeaseLossReason.DeadlinePassed);
        Assert.Equal(LeaseState.Lost, lease.State);
        Assert.Equal(LeaseLossReason.NotOwner, lease.LossReason);
    }

    [Fact]
    public void Released_is_final_and_no_loss()
    {
        var lease = Create(_clock.Reading);
        lease.BeginRelease();
        _clock.Advance(TimeSpan.FromMinutes(1));
        lease.Lose(LeaseLossReason.NotOwner);
        Assert.Equal(LeaseState.Released, lease.State);
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.Null(lease.LossReason);
    }

    /// <summary>After a pause the release may come before the watchdog's look.</summary>
    [Fact]
    [Failure("F14")]
    public void A_release_after_the_deadline_finds_the_lease_lost()
    {
        var lease = Create(_clock.Reading);
        _clock.Advance(Timings.Duration);
        lease.BeginRelease();
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(LeaseState.Lost, lease.State);
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
    }

    [Fact]
    [Promise("G1")]
    public void A_lease_that_is_released_while_it_is_in_doubt_is_held_no_more()
    {
        var lease = Create(_clock.Reading);
        lease.FailRenewal();
        lease.BeginRelease();
        Assert.Equal(LeaseState.Released, lease.State);
        Assert.False(lease.IsActive);
        Assert.Equal(TimeSpan.Zero, lease.Remaining);
    }

    [Fact]
    [Failure("F20")]
    public void No_renewal_begins_after_a_release_began_and_the_one_under_way_can_be_awaited()
    {
        var renewal = new TaskCompletionSource<bool>();
        var lease = Create(_clock.Reading);
        _clock.Advance(Timings.RenewalInterval);
        Assert.True(lease.TryBeginRenewal(renewal.Task));
        Assert.False(lease.TryBeginRenewal(Task.FromResult(true)));
        Assert.Same(renewal.Task, lease.BeginRelease());
        lease.EndRenewal();
        Assert.False(lease.TryBeginRenewal(Task.FromResult(true)));
    }

    [Fact]
    public void A_lease_past_its_max_hold_is_not_renewed_and_says_so_when_it_is_lost()
    {
        var lease = Create(_clock.Reading, new LockOptions { MaxHold = TimeSpan.FromSeconds(7) });
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True(lease.TryBeginRenewal(Task.FromResult(true)));
        Assert.True(lease.ConfirmRenewal(_clock.Reading));
        lease.EndRenewal();
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.False(lease.TryBeginRenewal(Task.FromResult(true)));
        Assert.Equal(lease.Remaining, lease.NextEvent - _clock.Uptime);
        _clock.Advance(lease.Remaining);
        Assert.Equal(LeaseState.Lost, lease.State);
        Assert.Equal(LeaseLossReason.MaxHoldReached, lease.LossReason);
    }

    [Fact]
    [Failure("F15")]
    public async Task A_callback_that_throws_reaches_the_log_and_nothing_else()
    {
        var lease = Create(_clock.Reading);
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lease.Lost.Register(() =>
        {
            ran.SetResult();
            throw new InvalidOperationException("user code");
        });
        lease.Lose(LeaseLossReason.NotOwner);
        await ran.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => _log.Collector.GetSnapshot().Any(line => line.Id.Id == 1006), TimeSpan.FromMinutes(1)));
    }

    private Lease Create(ClockReading sentAt, LockOptions? options = null, TimeProvider? time = null) => new(
        new LeaseGrant("work", new LockOwner("node", 1), 1, 42, Timings, options), new Deadline(sentAt, Timings), time ?? _clock, _telemetry);

    private sealed class WallClockShift(FakeTimeProvider clock) : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + Shift;

        public override long GetTimestamp() => clock.GetTimestamp();
    }
}
