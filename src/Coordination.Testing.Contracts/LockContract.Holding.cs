using System.Globalization;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Renewal, loss and release.</content>
public abstract partial class LockContract
{
    [Fact]
    public async Task Two_hundred_leases_are_renewed_for_as_long_as_they_are_held()
    {
        // Renewed often enough for a machine that stands still for seconds.
        var node = StartNode(options => (options.LeaseDuration, options.RenewalInterval) = (TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(1)));
        var names = Enumerable.Range(0, 200).Select(i => string.Create(CultureInfo.InvariantCulture, $"{Name}-{i}")).ToArray();
        var leases = await AtOnce.Async(names, name => node.GetLock(name).AcquireAsync(Cancellation), Bound);

        await PassAsync(TimeSpan.FromSeconds(7));
        Assert.All(leases, lease => Assert.Equal(LeaseState.Held, lease.State));
        var holders = await AtOnce.Async(names, name => Observer.Administration.GetHolderAsync(name, Cancellation), Bound);
        Assert.Equal(leases.Select(lease => lease.FencingToken), holders.Select(holder => holder?.FencingToken ?? 0));

        Assert.All(await AtOnce.Async(leases, ReleaseAsync, Bound), result => Assert.Equal(ReleaseResult.Released, result));
        Assert.All(await AtOnce.Async(names, name => Observer.Administration.GetHolderAsync(name, Cancellation), Bound), Assert.Null);
    }

    [Fact]
    public async Task A_renewal_by_hand_says_whether_the_lease_stands()
    {
        var node = StartNode();
        var lease = await AcquireAsync(node);
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation).WaitAsync(Bound, Cancellation));
        await ReleaseAsync(lease);
        Assert.Equal(RenewalResult.NotHeld, await lease.RenewAsync(Cancellation).WaitAsync(Bound, Cancellation));
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Failure("F10", "F18")]
    public async Task A_renewal_by_hand_after_the_store_lost_its_data_says_so_and_makes_no_lock()
    {
        var node = StartNode();
        var lease = await AcquireAsync(node);
        await LoseAllDataAsync();

        Assert.Equal(RenewalResult.NotHeld, await lease.RenewAsync(Cancellation).WaitAsync(Bound, Cancellation));
        Assert.Equal((LeaseState.Lost, LeaseLossReason.NotOwner), (lease.State, lease.LossReason));
        Assert.True(lease.Lost.IsCancellationRequested);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Failure("F18")]
    public async Task After_the_store_lost_its_data_the_holder_is_told_and_the_lock_can_be_acquired()
    {
        var (first, second) = (StartNode(options => (options.LeaseDuration, options.RenewalInterval) = (Long, TimeSpan.FromSeconds(2))), StartNode());
        var lease = await AcquireAsync(first);
        await LoseAllDataAsync();
        await Eventually.IsTrueAsync(() => lease.Lost.IsCancellationRequested, Bound);
        Assert.Equal((LeaseState.Lost, LeaseLossReason.NotOwner, TimeSpan.Zero), (lease.State, lease.LossReason, lease.Remaining));

        await using var next = await AcquireAsync(second);
        Assert.True(next.FencingToken > lease.FencingToken);

        // G5: the late release says what it found, and touches nothing.
        Assert.Equal(ReleaseResult.NotHeld, await ReleaseAsync(lease));
        Assert.Equal(next.Owner, (await second.Administration.GetHolderAsync(Name, Cancellation))?.Owner);
    }

    [Fact]
    [Failure("F18")]
    public async Task A_waiter_gets_the_lock_after_the_store_lost_its_data_and_its_place()
    {
        var (first, second) = (StartNode(options => options.LeaseDuration = TimeSpan.FromSeconds(2)), StartNode());
        var lease = await AcquireAsync(first);
        var waiting = await QueueAsync(second);
        await LoseAllDataAsync();

        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(next.FencingToken > lease.FencingToken);
        await Eventually.IsTrueAsync(() => lease.Lost.IsCancellationRequested, Bound);
    }

    [Fact]
    [Promise("G2")]
    public async Task A_holder_that_is_cut_off_is_told_before_another_is_granted_the_lock()
    {
        var (cutOff, link) = StartLinkedNode(options =>
        {
            options.LeaseDuration = TimeSpan.FromSeconds(6);
            options.SafetyMargin = TimeSpan.FromSeconds(3);
            options.RenewalInterval = TimeSpan.FromMilliseconds(500);
        });
        var second = StartNode();
        var resource = new FencedResource();
        var lease = await AcquireAsync(cutOff);
        var waiting = await QueueAsync(second);
        link.IsCut = true;

        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal((LeaseState.Lost, LeaseLossReason.DeadlinePassed), (lease.State, lease.LossReason));
        Assert.True(resource.TryWrite(next.FencingToken));
        Assert.False(resource.TryWrite(lease.FencingToken));
        link.IsCut = false;
        Assert.Equal(ReleaseResult.NotHeld, await ReleaseAsync(lease));
        Assert.Equal(LeaseState.Held, next.State);
    }

    [Fact]
    public async Task MaxHold_ends_the_renewals_and_the_lock_goes_to_the_next()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first, new LockOptions { LeaseDuration = TimeSpan.FromSeconds(3), MaxHold = TimeSpan.FromMilliseconds(100) });
        await using var next = await AcquireAsync(second);

        Assert.Equal((LeaseState.Lost, LeaseLossReason.MaxHoldReached), (lease.State, lease.LossReason));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(RenewalResult.NotHeld, await lease.RenewAsync(Cancellation).WaitAsync(Bound, Cancellation));
    }

    [Fact]
    public async Task A_renewal_by_hand_past_MaxHold_is_not_made()
    {
        var node = StartNode();
        await using var lease = await AcquireAsync(node, new LockOptions { MaxHold = TimeSpan.FromTicks(1) });
        Assert.Equal(RenewalResult.MaxHoldReached, await lease.RenewAsync(Cancellation).WaitAsync(Bound, Cancellation));
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    public async Task Work_that_reports_no_progress_loses_the_lock_to_the_next()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first, new LockOptions { LeaseDuration = TimeSpan.FromSeconds(3), ProgressTimeout = TimeSpan.FromMilliseconds(100) });
        await using var next = await AcquireAsync(second);

        Assert.Equal((LeaseState.Lost, LeaseLossReason.NoProgress), (lease.State, lease.LossReason));
        Assert.True(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    [Promise("G5")]
    public async Task A_release_says_what_it_found_and_is_no_loss()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(lease));
        Assert.Equal((LeaseState.Released, null, TimeSpan.Zero), (lease.State, lease.LossReason, lease.Remaining));
        Assert.False(lease.Lost.IsCancellationRequested);

        await using var next = await TryAcquireAsync(second);
        Assert.NotNull(next);
        Assert.Equal(ReleaseResult.AlreadyReleased, await ReleaseAsync(lease));
        await lease.DisposeAsync();
        Assert.Equal(next.Owner, (await second.Administration.GetHolderAsync(Name, Cancellation))?.Owner);
    }

    [Fact]
    public async Task Disposing_a_lease_releases_it()
    {
        var node = StartNode();
        await using (await AcquireAsync(node))
        {
            Assert.Null(await TryAcquireAsync(node));
        }

        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Failure("F23")]
    public async Task A_release_is_sent_with_a_token_that_is_cancelled_already()
    {
        var node = StartNode();
        var lease = await AcquireAsync(node);
        try
        {
            await lease.ReleaseAsync(new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
            // The token may end the wait for the result, and nothing else.
        }

        Assert.Equal(LeaseState.Released, lease.State);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Failure("F27")]
    public async Task A_release_whose_reply_was_lost_is_no_loss()
    {
        var (node, link) = StartLinkedNode(options => options.LeaseDuration = Long);
        var lease = await AcquireAsync(node);
        link.RepliesToLose = 1;
        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(lease));
        Assert.Null(lease.LossReason);
        await AssertNothingLeftAsync(Name);
    }
}
