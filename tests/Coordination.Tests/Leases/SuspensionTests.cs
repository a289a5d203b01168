using Coordination.Leases;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Testing;
using Coordination.Time;
using Microsoft.Extensions.DependencyInjection;
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
    public async Task A_lease_that_is_added_right_after_the_watchdog_noticed_is_renewed_before_it_is_relied_on()
    {
        await using var node = new TestNode();
        await using var noticed = await node.AcquireAsync();
        var sentAt = node.Clock.Uptime;
        Suspend(node, TimeSpan.FromHours(1));
        node.Advance(TimeSpan.FromSeconds(1.1));

        var request = node.Services.GetRequiredService<Node>().Acquire("other", owner: null, options: null, wait: false);
        var reply = new TimedReply<AcquireReply>(await node.Store.AcquireAsync(request, TestContext.Current.CancellationToken), sentAt, SuspensionCheck.Ahead(node.Clock), Attempt: 1);
        Assert.True(node.Services.GetRequiredService<LeaseKeeper>().TryAccept(request, reply, options: null, out var lease));
        var handle = new object();
        lease.BindTo(handle);
        Assert.Equal((LeaseState.InDoubt, TimeSpan.Zero), (lease.State, lease.Remaining));
        Assert.True(node.AdvanceUntil(() => lease.State == LeaseState.Held, TimeSpan.FromSeconds(2)));
        GC.KeepAlive(handle);
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
