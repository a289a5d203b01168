using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>What operators see and do.</content>
public abstract partial class LockStoreShareContract
{
    [Fact]
    public async Task An_inspection_shows_all_holders_and_waiters_with_what_they_have_and_want()
    {
        var (first, second) = (await GrantAsync(Ada, LockShare.UpgradeableRead), await GrantAsync(Bob, LockShare.Read));
        await QueueAsync(LockShare.Write, Cy);
        await QueueAsync(LockShare.Read, Dan);
        await QueueAsync(AdasUpgrade, AdaWriting);
        var inspection = await InspectAsync();

        Assert.Equal((LockName, LockCapacity.ReaderWriter), (inspection.LockName, inspection.Capacity));
        Assert.Equal(
            [(Ada, first.FencingToken, LockShare.UpgradeableRead), (Bob, second.FencingToken, LockShare.Read)],
            inspection.Holders.OrderBy(holder => holder.FencingToken).Select(holder => (holder.Owner, (long?)holder.FencingToken, holder.Share)));
        Assert.All(inspection.Holders, holder => Assert.InRange(holder.TimeToLive, Long - Bound, Long));
        Assert.All(inspection.Holders, holder => Assert.Equal((null, false), (holder.Permit, holder.IsReleased)));
        Assert.Contains(inspection.Holder, inspection.Holders);
        Assert.Equal([(AdaWriting, AdasUpgrade), (Cy, LockShare.Write), (Dan, LockShare.Read)], inspection.Waiters.Select(waiter => (waiter.Owner, waiter.Share)));
        Assert.Equal(3, inspection.WaiterCount);
        Assert.Equal([AdaWriting, Cy], (await InspectAsync(2)).Waiters.Select(waiter => waiter.Owner));
    }

    [Fact]
    public async Task An_inspection_of_a_semaphore_shows_the_permits_and_of_a_free_lock_nothing()
    {
        await GrantAsync(Ada, OneOfThree, Short);
        await GrantAsync(Bob, OneOfThree);
        var inspection = await InspectAsync();
        Assert.Equal(OneOfThree.Capacity, inspection.Capacity);
        Assert.Equal([(Ada, 0), (Bob, 1)], inspection.Holders.OrderBy(holder => holder.Permit).Select(holder => (holder.Owner, holder.Permit!.Value)));
        Assert.All(inspection.Holders, holder => Assert.Equal(OneOfThree, holder.Share));
        Assert.Contains((await Administration.GetHolderAsync(LockName, Cancellation))?.Owner, (LockOwner[])[Ada, Bob]);

        await LapseAsync(LockName, Ada);
        Assert.Equal((Bob, 1), Assert.Single((await InspectAsync()).Holders) is var left ? (left.Owner, left.Permit) : default);
        await ReleaseAsync(Bob, OneOfThree);
        var free = await InspectAsync();
        Assert.Equal((null, LockCapacity.Exclusive, 0), (free.Holder, free.Capacity, free.WaiterCount));
        Assert.Null(await Administration.GetHolderAsync(LockName, Cancellation));
    }

    [Fact]
    public async Task An_inspection_of_a_lock_whose_holders_have_lapsed_says_that_nobody_uses_it()
    {
        await GrantAsync(Ada, LockShare.Read, Short);
        await GrantAsync(Bob, LockShare.Read, Short);
        await LapseAsync(LockName, Ada);
        await LapseAsync(LockName, Bob);
        Assert.Equal(LockCapacity.Exclusive, (await InspectAsync()).Capacity);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task The_list_has_each_lock_that_somebody_holds_once()
    {
        var (readers, exclusive) = (LockName + "-readers", LockName + "-exclusive");
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        await TryAsync(Ada, LockShare.Read, lockName: readers);
        await TryAsync(Bob, LockShare.Read, lockName: readers);
        await TryAsync(Ada, null, lockName: exclusive);
        Assert.Equal([LockName, exclusive, readers], await ListAsync());

        await ReleaseAsync(Ada, OneOfTwo);
        await ReleaseAsync(Ada, LockShare.Read, lockName: readers);
        await ReleaseAsync(Bob, LockShare.Read, lockName: readers);
        Assert.Equal([LockName, exclusive], await ListAsync());
    }

    [Fact]
    public async Task Who_revokes_by_a_token_takes_that_grant_and_no_other()
    {
        var (holders, waiters) = (new Heard(), new Heard());
        await using var holdersListening = await ListenAsync(Bob, holders);
        await using var waitersListening = await ListenAsync(Dan, waiters);
        var first = (await GrantAsync(Ada, OneOfThree)).FencingToken!.Value;
        var second = (await GrantAsync(Bob, OneOfThree)).FencingToken!.Value;
        var third = (await GrantAsync(Cy, OneOfThree)).FencingToken!.Value;
        await QueueAsync(OneOfThree, Dan);
        Assert.False(await RevokeAsync(first - 1));
        Assert.True(await RevokeAsync(second));

        await AssertHeldByAsync(Ada, Cy, Dan);
        Assert.Equal(1, (await HolderAsync(Dan)).Permit);
        await Eventually.IsTrueAsync(() => holders.Count > 0 && waiters.Count > 0, Bound);
        Assert.Equal(LockNotification.Revoked(LockName, Bob, second), Assert.Single(holders.All));
        AssertGrant(Dan, Assert.Single(waiters.All));
        Assert.Equal(RenewalReply.Revoked, await RenewAsync(Bob, OneOfThree, token: second));
        Assert.Equal(RenewalReply.Renewed, await RenewAsync(Ada, OneOfThree, token: first));
        Assert.Equal(RenewalReply.Renewed, await RenewAsync(Cy, OneOfThree, token: third));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob, OneOfThree));

        // Asked again, as after a lost reply, the reply is the same.
        Assert.True(await RevokeAsync(second));
        await AssertHeldByAsync(Ada, Cy, Dan);
    }

    [Fact]
    public async Task Who_revokes_a_writer_lets_in_the_readers_that_waited()
    {
        var token = (await GrantAsync(Ada, LockShare.Write)).FencingToken!.Value;
        await QueueAsync(LockShare.Read, Bob, Cy);
        Assert.True(await RevokeAsync(token));
        await AssertHeldByAsync(Bob, Cy);
    }

    private Task<bool> RevokeAsync(long token) => Administration.RevokeAsync(LockName, token, Long, Cancellation).WaitAsync(Bound, Cancellation);

    /// <summary>The locks of this test, in order, as often as they were listed: a store that has changed meanwhile may show one twice, and nothing changes here.</summary>
    private async Task<List<string>> ListAsync()
    {
        var names = new List<string>();
        string? cursor = null;
        do
        {
            var page = await Administration.ListAsync(cursor, Cancellation).WaitAsync(Bound, Cancellation);
            names.AddRange(page.LockNames.Where(name => name.StartsWith(LockName, StringComparison.Ordinal)));
            cursor = page.Next;
        }
        while (cursor is not null);
        return [.. names.Distinct().Order(StringComparer.Ordinal)];
    }
}
