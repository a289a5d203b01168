using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Renewal and loss: of one holder, and not of those beside it.</content>
public abstract partial class LockShareContract
{
    [Fact]
    [Promise("G2")]
    public async Task A_holder_that_is_cut_off_is_told_before_its_permit_is_anothers_and_others_go_on()
    {
        var (cutOff, link) = StartLinkedNode(ShortLease);
        var (second, third) = (StartNode(ShortLease), StartNode());
        var resource = new FencedResource();
        var staying = await AcquireAsync(Semaphore(second, 2));
        var lease = await AcquireAsync(Semaphore(cutOff, 2));
        var waiting = await QueueAsync(Semaphore(third, 2));
        link.IsCut = true;

        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal((LeaseState.Lost, LeaseLossReason.DeadlinePassed), (lease.State, lease.LossReason));
        Assert.Equal((1, false), (next.Permit, staying.Lost.IsCancellationRequested));
        Assert.True(resource.TryWrite(next.FencingToken));
        Assert.False(resource.TryWrite(lease.FencingToken));
        link.IsCut = false;
        Assert.Equal(ReleaseResult.NotHeld, await ReleaseAsync(lease));
        await AssertHeldByAsync(staying, next);

        static void ShortLease(CoordinationOptions options)
        {
            options.LeaseDuration = TimeSpan.FromSeconds(2);
            options.SafetyMargin = TimeSpan.FromSeconds(1);
            options.RenewalInterval = TimeSpan.FromMilliseconds(500);
        }
    }

    [Fact]
    [Promise("G4")]
    public async Task The_permit_of_a_dead_node_is_back_within_its_lease()
    {
        var (first, second) = (StartNode(options => options.LeaseDuration = TimeSpan.FromSeconds(2)), StartNode());
        var lease = TimeSpan.FromSeconds(1);
        var staying = await AcquireAsync(Semaphore(first, 2));
        var start = TimeProvider.System.GetTimestamp();
        var dead = await second.Store.AcquireAsync(Requests.Acquire(Name, new LockOwner("dead", 1), lease) with { Share = LockShare.PermitOf(2) }, Cancellation);
        Assert.Equal(1, dead.Permit);

        await using var next = await AcquireAsync(Semaphore(second, 2));
        Assert.Equal(1, next.Permit);
        Assert.True(next.FencingToken > dead.FencingToken);

        // Not sooner than the dead one's time; servers round to milliseconds.
        Assert.True(TimeProvider.System.GetElapsedTime(start) > lease - TimeSpan.FromMilliseconds(20));
        await AssertHeldByAsync(staying, next);
    }

    [Fact]
    public async Task Leases_of_one_lock_on_one_node_are_renewed_for_as_long_as_they_are_held()
    {
        var node = StartNode(options => options.LeaseDuration = TimeSpan.FromSeconds(1));
        var leases = new List<ILockLease>();
        for (var i = 0; i < 20; i++)
        {
            leases.Add(await AcquireAsync(Semaphore(node, 20)));
        }

        await PassAsync(TimeSpan.FromMilliseconds(2500));
        await AssertHeldByAsync([.. leases]);
        Assert.Equal(Enumerable.Range(0, 20), leases.Select(lease => lease.Permit!.Value));
        Assert.All(await AtOnce.Async(leases, ReleaseAsync, Bound), result => Assert.Equal(ReleaseResult.Released, result));
        await AssertNothingLeftAsync(Name);
    }

    /// <summary>With notifications the holder learns of it at once; without, at its next renewal.</summary>
    [Fact]
    public async Task A_holder_whose_permit_is_revoked_loses_it_and_the_others_of_its_node_do_not()
    {
        var (node, second) = (StartNode(options => options.LeaseDuration = TimeSpan.FromSeconds(2)), StartNode());
        var leases = new[] { await AcquireAsync(Semaphore(node, 3)), await AcquireAsync(Semaphore(node, 3)), await AcquireAsync(Semaphore(node, 3)) };
        var waiting = await QueueAsync(Semaphore(second, 3));
        Assert.True(await Observer.Inspector.RevokeAsync(Name, leases[1].FencingToken, Cancellation));

        await Eventually.IsTrueAsync(() => leases[1].Lost.IsCancellationRequested, Bound / 2, "The holder is told.");
        Assert.Equal(LeaseLossReason.Revoked, leases[1].LossReason);
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.Equal(1, next.Permit);
        Assert.Equal(ReleaseResult.NotHeld, await ReleaseAsync(leases[1]));
        await AssertHeldByAsync(leases[0], leases[2], next);
        Assert.All(leases, lease => Assert.Equal(lease == leases[1], lease.Lost.IsCancellationRequested));
    }

    [Fact]
    public async Task A_permit_may_stay_taken_for_some_time_after_its_lease()
    {
        var node = StartNode();
        var lease = await AcquireAsync(Semaphore(node, 2, new LockOptions { LockAtLeastFor = Long }));
        await ReleaseAsync(lease);
        await using (var other = await AcquireAsync(Semaphore(node, 2)))
        {
            Assert.Equal(1, other.Permit);
            Assert.Null(await TryAsync(Semaphore(node, 2)));
        }

        Assert.True(await node.Inspector.RevokeAsync(Name, lease.FencingToken, Cancellation));
        await using var next = await AcquireAsync(Semaphore(node, 2));
        Assert.Equal(0, next.Permit);
    }

    /// <summary>Waits until some time has passed on the store's own clock: a lock that is granted now for that long has lapsed.</summary>
    private Task PassAsync(TimeSpan time) => Nodes.PassAsync(Name + "-clock", time, Bound, Cancellation);
}
