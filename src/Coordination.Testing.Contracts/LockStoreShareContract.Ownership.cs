using Coordination.Stores;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Each holder has its own grant: repeated requests, releases, renewals, and locks that are kept for a time.</content>
public abstract partial class LockStoreShareContract
{
    [Fact]
    [Promise("G6")]
    [Failure("F3")]
    public async Task A_repeated_request_gets_the_same_grant_and_permit_and_takes_no_other()
    {
        await GrantAsync(Ada, OneOfThree);
        var first = await AskAsync(Bob, OneOfThree);
        foreach (var again in new[] { await AskAsync(Bob, OneOfThree), await TryAsync(Bob, OneOfThree) })
        {
            Assert.Equal((first.FencingToken, 1), (again.FencingToken, again.Permit));
        }

        await AssertHeldByAsync(Ada, Bob);
        Assert.Equal(2, (await GrantAsync(Cy, OneOfThree)).Permit);

        // Once is enough to release it, and a wait is given up by the same.
        await QueueAsync(OneOfThree, Dan);
        await QueueAsync(OneOfThree, Dan);
        Assert.Equal(1, (await InspectAsync()).WaiterCount);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Dan, OneOfThree));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, OneOfThree));
        await AssertHeldByAsync(Ada, Cy);
    }

    [Fact]
    [Promise("G6", "G8")]
    [Failure("F3", "F5")]
    public async Task The_undo_of_a_grant_nobody_received_passes_it_on_and_of_a_wait_leaves_the_queue()
    {
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        await QueueAsync(OneOfTwo, Cy, Dan, Eve);
        await ReleaseAsync(Bob, OneOfTwo);
        await AssertHeldByAsync(Ada, Cy);

        // Cy gave up in the moment in which it was granted, and Dan while it waits.
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Dan, OneOfTwo));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Cy, OneOfTwo));
        await AssertHeldByAsync(Ada, Eve);
        await ReleaseAsync(Ada, OneOfTwo);
        await ReleaseAsync(Eve, OneOfTwo);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G5")]
    [Failure("F6", "F27")]
    public async Task A_release_that_is_late_or_repeated_or_anothers_touches_no_other_holder()
    {
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Cy, OneOfTwo));
        await AssertHeldByAsync(Ada, Bob);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, OneOfTwo));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, OneOfTwo));
        await AssertHeldByAsync(Bob);

        // Also when another has its permit meanwhile.
        Assert.Equal(0, (await GrantAsync(Cy, OneOfTwo)).Permit);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, OneOfTwo));
        await AssertHeldByAsync(Bob, Cy);
    }

    [Fact]
    [Promise("G5")]
    public async Task A_release_after_the_lease_lapsed_finds_nothing_and_frees_nothing()
    {
        await GrantAsync(Ada, LockShare.Read, Short);
        await GrantAsync(Bob, LockShare.Read);
        await LapseAsync(LockName, Ada);
        await GrantAsync(Cy, LockShare.Read);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, LockShare.Read));
        await AssertHeldByAsync(Bob, Cy);
        Assert.False((await TryAsync(Dan, LockShare.Write)).IsGranted);
    }

    [Fact]
    [Promise("G5")]
    public async Task A_release_or_renewal_of_another_share_than_the_owner_has_touches_nothing()
    {
        await GrantAsync(Ada, LockShare.Read);
        foreach (var other in (LockShare[])[LockShare.Write, LockShare.UpgradeableRead, LockShare.UpgradeOf(Bob)])
        {
            Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, other));
            Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Ada, other));
        }

        await AssertHeldByAsync(Ada);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, LockShare.Read));
    }

    [Fact]
    [Failure("F10")]
    public async Task A_renewal_extends_the_one_holder_that_asks_and_makes_no_holder()
    {
        await GrantAsync(Ada, OneOfThree, Short);
        var token = (await GrantAsync(Bob, OneOfThree, Short)).FencingToken;
        Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Cy, OneOfThree));
        Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Bob, OneOfThree, token: token - 1));
        Assert.Equal(RenewalReply.Renewed, await RenewAsync(Bob, OneOfThree, token: token));
        Assert.InRange((await HolderAsync(Bob)).TimeToLive, Long - Bound, Long);
        await LapseAsync(LockName, Ada);
        Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Ada, OneOfThree));
        await AssertHeldByAsync(Bob);
        Assert.Equal(0, (await GrantAsync(Ada, OneOfThree)).Permit);
    }

    [Fact]
    [Failure("F15")]
    public async Task One_batch_renews_shares_and_exclusive_locks_and_tells_them_apart()
    {
        var (exclusive, shared) = (LockName + "-exclusive", LockName + "-shared");
        await TryAsync(Ada, null, Short, exclusive);
        await TryAsync(Ada, LockShare.Read, Short, shared);
        await TryAsync(Bob, LockShare.UpgradeableRead, Short, shared);
        await GrantAsync(Ada, OneOfTwo, Short);
        var revoked = (await GrantAsync(Bob, OneOfTwo, Short)).FencingToken!.Value;
        Assert.True(await RevokeAsync(revoked));
        (RenewalRequest Request, RenewalReply Expected)[] all =
        [
            (Requests.Renew(exclusive, Bob, Long), RenewalReply.NotHeld),
            (Requests.Renew(exclusive, Ada, Long), RenewalReply.Renewed),
            (Requests.Renew(shared, Ada, Long) with { Share = LockShare.Read }, RenewalReply.Renewed),
            (Requests.Renew(LockName, Bob, Long, revoked) with { Share = OneOfTwo }, RenewalReply.Revoked),
            (Requests.Renew(shared, Cy, Long) with { Share = LockShare.Read }, RenewalReply.NotHeld),
            (Requests.Renew(LockName, Ada, Long) with { Share = OneOfTwo }, RenewalReply.Renewed),
            (Requests.Renew(shared, Bob, Long) with { Share = LockShare.UpgradeableRead }, RenewalReply.Renewed),
        ];
        foreach (var part in all.GroupBy(one => Store.PartitionOf(one.Request.LockName)))
        {
            var replies = await Store.RenewAsync([.. part.Select(one => one.Request)], Cancellation).WaitAsync(Bound, Cancellation);
            Assert.Equal(part.Select(one => one.Expected), replies);
        }

        await PassAsync(Short);
        await AssertHeldByAsync(Ada);
        Assert.Equal(2, (await Administration.InspectAsync(shared, 0, Cancellation)).Holders.Count);
        Assert.NotNull(await Administration.GetHolderAsync(exclusive, Cancellation));
    }

    [Fact]
    public async Task A_permit_that_is_locked_for_some_time_at_least_is_nobodys_until_then()
    {
        var kept = await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        await QueueAsync(OneOfTwo, Cy);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, OneOfTwo, lockAtLeastFor: Long));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, OneOfTwo));
        Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Ada, OneOfTwo));
        var holder = await HolderAsync(Ada);
        Assert.Equal((kept.FencingToken!.Value, 0, true), (holder.FencingToken, holder.Permit!.Value, holder.IsReleased));
        Assert.False((await AskAsync(Cy, OneOfTwo)).IsGranted);

        // The other permit has another number.
        await ReleaseAsync(Bob, OneOfTwo);
        Assert.Equal(1, (await AskAsync(Cy, OneOfTwo)).Permit);
        Assert.False((await TryAsync(Dan, OneOfTwo)).IsGranted);
        Assert.True(await RevokeAsync(kept.FencingToken!.Value));
        Assert.Equal(0, (await GrantAsync(Dan, OneOfTwo)).Permit);
    }

    [Fact]
    public async Task A_permit_that_was_locked_for_some_time_is_free_when_that_is_over()
    {
        await GrantAsync(Ada, OneOfTwo);
        await GrantAsync(Bob, OneOfTwo);
        await ReleaseAsync(Ada, OneOfTwo, lockAtLeastFor: 2 * Short);
        await LapseAsync(LockName, Ada);
        Assert.Equal(0, (await GrantAsync(Cy, OneOfTwo)).Permit);
    }

    [Fact]
    public async Task A_read_that_is_kept_for_some_time_keeps_out_writers_and_no_readers()
    {
        await GrantAsync(Ada, LockShare.Read);
        await ReleaseAsync(Ada, LockShare.Read, lockAtLeastFor: Long);
        Assert.False((await TryAsync(Bob, LockShare.Write)).IsGranted);
        await GrantAsync(Bob, LockShare.Read);
    }
}
