using Coordination.Testing;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.Leases;

public sealed class RenewalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_renewal_by_hand_moves_the_deadline()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(TimeSpan.FromSeconds(8), lease.Remaining);
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Token));
        Assert.Equal(TimeSpan.FromSeconds(12), lease.Remaining);
    }

    [Fact]
    public async Task A_renewal_by_hand_that_cannot_ask_the_store_is_unknown_which_is_not_no()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.IsAway = true;
        var renewing = lease.RenewAsync(Token);
        Assert.True(node.AdvanceUntil(() => renewing.IsCompleted, TimeSpan.FromSeconds(3)));
        Assert.Equal(RenewalResult.Unknown, await renewing);
        Assert.Equal(LeaseState.InDoubt, lease.State);
        Assert.False(lease.Lost.IsCancellationRequested);
    }

    /// <summary>While the caller's renewal is under way the watchdog sends none; when it failed the watchdog is to go on at once.</summary>
    [Fact]
    [Failure("F11")]
    public async Task After_a_renewal_by_hand_that_failed_the_watchdog_goes_on_trying()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(4.95));
        node.Store.IsAway = true;
        var renewing = lease.RenewAsync(Token);
        Assert.True(node.AdvanceUntil(() => renewing.IsCompleted, TimeSpan.FromSeconds(3)));
        Assert.Equal(RenewalResult.Unknown, await renewing);
        node.Store.IsAway = false;

        Assert.True(node.AdvanceUntil(() => lease.State == LeaseState.Held, TimeSpan.FromSeconds(1)));
        Assert.True(lease.Remaining > TimeSpan.FromSeconds(10));
    }

    [Fact]
    [Failure("F10")]
    public async Task A_renewal_by_hand_of_a_lock_that_is_not_ours_any_more_is_a_loss()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.LoseLock("work");
        Assert.Equal(RenewalResult.NotHeld, await lease.RenewAsync(Token));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(LeaseLossReason.NotOwner, lease.LossReason);
    }

    [Fact]
    public async Task A_renewal_by_hand_past_the_max_hold_extends_nothing()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: new LockOptions { MaxHold = TimeSpan.FromSeconds(7) });
        node.Advance(TimeSpan.FromSeconds(8));
        var calls = node.Store.GetCallCount(StoreOperation.Renew);
        Assert.Equal(RenewalResult.MaxHoldReached, await lease.RenewAsync(Token));
        Assert.Equal(calls, node.Store.GetCallCount(StoreOperation.Renew));
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(15)));
        Assert.Equal(LeaseLossReason.MaxHoldReached, lease.LossReason);
    }

    [Fact]
    [Failure("F64")]
    public async Task A_lease_that_reaches_its_max_hold_is_one_line_and_no_error()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync(options: new LockOptions { MaxHold = TimeSpan.FromSeconds(7) });
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(30)));
        var lines = node.Logs.GetSnapshot();
        Assert.Equal(LogLevel.Information, Assert.Single(lines, line => line.Id.Id == 1009).Level);
        Assert.DoesNotContain(lines, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_renewal_by_hand_of_a_released_lease_says_that_it_is_not_held()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        await lease.DisposeAsync();
        Assert.Equal(RenewalResult.NotHeld, await lease.RenewAsync(Token));
    }

    [Fact]
    [Failure("F20")]
    public async Task A_release_waits_for_a_renewal_by_hand_that_is_under_way()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.Hang = true;
        var renewing = lease.RenewAsync(Token);
        var release = lease.ReleaseAsync(Token);
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Release));
        node.Store.Hang = false;

        // The clock stands still, so no limit ends the wait.
        Assert.Equal(ReleaseResult.Released, await release.WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(RenewalResult.NotHeld, await renewing);
    }

    [Fact]
    [Failure("F20")]
    public async Task Renewals_by_hand_that_come_at_once_are_sent_one_after_the_other()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.Hang = true;
        var first = lease.RenewAsync(Token);
        var second = lease.RenewAsync(Token);
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Renew));
        node.Store.Hang = false;
        Assert.Equal(RenewalResult.Renewed, await first.WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(RenewalResult.Renewed, await second.WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(2, node.Store.GetCallCount(StoreOperation.Renew));
    }

    [Fact]
    [Failure("F13")]
    public async Task Renewals_by_hand_that_hang_end_with_the_lease()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();

        // Just before the watchdog's own, so that its tries would go on past the deadline.
        node.Advance(TimeSpan.FromSeconds(4.9));
        node.Store.Hang = true;
        var first = lease.RenewAsync(Token);
        var second = lease.RenewAsync(Token);
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(8)));
        Assert.Equal(RenewalResult.NotHeld, await first.WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal(RenewalResult.NotHeld, await second.WaitAsync(TimeSpan.FromMinutes(1), Token));
    }

    [Fact]
    public async Task A_renewal_by_hand_that_is_cancelled_throws_and_the_lease_stands()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        using var cancellation = new CancellationTokenSource();
        using var secondCancellation = new CancellationTokenSource();
        node.Store.Hang = true;
        var first = lease.RenewAsync(cancellation.Token);
        var second = lease.RenewAsync(secondCancellation.Token);
        await secondCancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(TimeSpan.FromMinutes(1), Token));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(TimeSpan.FromMinutes(1), Token));
        node.Store.Hang = false;
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Token));
        Assert.Equal(LeaseState.Held, lease.State);
    }
}
