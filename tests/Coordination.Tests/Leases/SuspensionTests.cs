using Coordination.Testing;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.Leases;

/// <summary>A machine that was suspended: its monotonic clock stood still, and its wall clock did not.</summary>
public sealed class SuspensionTests
{
    [Fact]
    [Failure("F47")]
    public async Task After_a_suspension_a_lease_is_renewed_before_it_is_relied_on()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Renew));

        Suspend(node, TimeSpan.FromHours(1));
        node.Store.Hang = true;
        Assert.True(node.AdvanceUntil(() => node.Store.GetCallCount(StoreOperation.Renew) > 0, TimeSpan.FromSeconds(2)));
        Assert.Equal(LeaseState.InDoubt, lease.State);
        Assert.Equal(TimeSpan.Zero, lease.Remaining);

        node.Store.Hang = false;
        Assert.True(node.AdvanceUntil(() => lease.State == LeaseState.Held, TimeSpan.FromSeconds(2)));
        Assert.True(lease.Remaining > TimeSpan.FromSeconds(9));
        Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1024 && line.Level == LogLevel.Warning);
    }

    [Fact]
    [Failure("F47")]
    public async Task A_holder_whose_lock_lapsed_while_its_machine_slept_is_told_when_it_wakes()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(1));
        Suspend(node, TimeSpan.FromHours(1));
        node.Store.LoseLock("work");
        node.Advance(TimeSpan.FromSeconds(1.1));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(LeaseLossReason.NotOwner, lease.LossReason);
    }

    /// <summary>As right after a laptop wakes: its network does not stand yet. What user code watches is the token.</summary>
    [Theory]
    [Failure("F47")]
    [Promise("G2")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_holder_that_cannot_ask_when_its_machine_wakes_is_told_within_the_margin(bool wasInDoubtBefore)
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(1));
        if (wasInDoubtBefore)
        {
            node.Store.FailRenewals = true;
            Assert.True(node.AdvanceUntil(() => lease.State == LeaseState.InDoubt, TimeSpan.FromSeconds(6)));
        }

        node.Store.Hang = true;
        var woke = node.Clock.GetTimestamp();
        Suspend(node, TimeSpan.FromHours(1));
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(5)));

        // A second until it looks, and the margin.
        Assert.True(node.Clock.GetElapsedTime(woke) <= TimeSpan.FromSeconds(4.1));
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
    }

    [Fact]
    [Failure("F47")]
    public async Task A_renewal_that_was_sent_before_the_suspension_proves_nothing()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(4.9));
        node.Store.Hang = true;
        Assert.True(node.AdvanceUntil(() => node.Store.GetCallCount(StoreOperation.Renew) == 1, TimeSpan.FromSeconds(1)));
        Suspend(node, TimeSpan.FromHours(1));
        node.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, lease.Remaining);

        // Its reply comes now, and only the next one counts.
        var renewals = node.Store.GetCallCount(StoreOperation.Renew);
        node.Store.Hang = false;
        Assert.True(node.AdvanceUntil(() => lease.State == LeaseState.Held, TimeSpan.FromSeconds(3)));
        Assert.True(node.Store.GetCallCount(StoreOperation.Renew) > renewals);
        Assert.True(lease.Remaining > TimeSpan.FromSeconds(9));
    }

    [Fact]
    [Failure("F47")]
    public async Task Suspensions_that_are_shorter_than_the_margin_add_up()
    {
        await using var node = new TestNode();
        await using var lease = await node.AcquireAsync();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(LeaseState.Held, lease.State);
            Suspend(node, TimeSpan.FromSeconds(1.6));
            node.Advance(TimeSpan.FromSeconds(1.1));
        }

        // The second made it more than the margin, and the lease was renewed before its time.
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Renew));
        Assert.Equal(LeaseState.Held, lease.State);
        node.Store.Hang = true;
        Suspend(node, TimeSpan.FromSeconds(1.6));
        node.Advance(TimeSpan.FromSeconds(1.1));
        Suspend(node, TimeSpan.FromSeconds(1.6));
        Assert.Equal((LeaseState.InDoubt, TimeSpan.Zero), (lease.State, lease.Remaining));
        node.Store.Hang = false;
    }

    [Fact]
    [Failure("F47")]
    public async Task What_was_acquired_after_a_suspension_is_not_in_doubt_because_of_it()
    {
        await using var node = new TestNode();
        await (await node.AcquireAsync()).DisposeAsync();
        Suspend(node, TimeSpan.FromHours(8));
        await using var lease = await node.AcquireAsync();
        node.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(LeaseState.Held, lease.State);
        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Renew));
    }

    [Fact]
    [Failure("F19", "F47")]
    public async Task A_wall_clock_that_is_set_back_or_by_less_than_the_margin_changes_nothing()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        foreach (var step in (TimeSpan[])[TimeSpan.FromHours(-1), TimeSpan.FromSeconds(2)])
        {
            Suspend(node, step);
            node.Advance(TimeSpan.FromSeconds(1.1));
            Assert.Equal(LeaseState.Held, lease.State);
        }

        Assert.Equal(0, node.Store.GetCallCount(StoreOperation.Renew));
    }

    private static void Suspend(TestNode node, TimeSpan by) => node.Clock.WallAhead += by;
}
