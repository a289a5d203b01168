using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>An owner's own lock: entries, renewals, releases, and that nobody else's is touched.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    public async Task The_holder_is_who_was_granted_the_lock_and_looking_changes_nothing()
    {
        Assert.Null(await HolderAsync());
        var token = await GrantAsync(Ada);

        var first = await HeldAsync();
        var second = await HeldAsync();
        Assert.Equal((Ada, token), (first.Owner, first.FencingToken));
        Assert.InRange(first.TimeToLive, Long - Bound, Long);
        Assert.InRange(second.TimeToLive, Long - Bound, first.TimeToLive);
        Assert.Equal(first with { TimeToLive = default }, second with { TimeToLive = default });

        await ReleaseAsync(Ada);
        Assert.Null(await HolderAsync());
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task Who_is_refused_the_lock_learns_who_holds_it_and_for_how_long()
    {
        var token = await GrantAsync(Ada);
        foreach (var reply in (AcquireReply[])[await TryAsync(Bob), await AskAsync(Bob)])
        {
            Assert.Null(reply.FencingToken);
            Assert.Equal((Ada, token), (reply.Holder!.Owner, reply.Holder.FencingToken));
            Assert.InRange(reply.Holder.TimeToLive, Long - Bound, Long);
        }
    }

    [Fact]
    [Promise("G5")]
    public async Task A_release_by_someone_else_touches_nothing()
    {
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob));
        await GrantAsync(Ada);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob));
        await AssertHeldByAsync(Ada);
    }

    [Fact]
    [Promise("G5")]
    public async Task A_second_release_finds_nothing()
    {
        await GrantAsync(Ada);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G5")]
    [Failure("F6")]
    public async Task A_late_release_does_not_touch_the_grant_of_another_owner_of_the_same_node()
    {
        await GrantAsync(Owner("ada", 1), Short);
        await LapseAsync(LockName);
        await GrantAsync(Owner("ada", 2));

        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Owner("ada", 1)));
        await AssertHeldByAsync(Owner("ada", 2));
    }

    [Fact]
    [Promise("G5")]
    [Failure("F6")]
    public async Task A_late_release_does_not_touch_a_newer_entry_of_the_same_owner()
    {
        await TryAsync(Ada, entry: 1, lease: Short);
        await LapseAsync(LockName);
        await TryAsync(Ada, entry: 2);

        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 1));
        await AssertHeldByAsync(Ada);
    }

    [Fact]
    [Promise("G5")]
    [Failure("F6")]
    public async Task A_late_release_of_an_older_entry_does_not_touch_the_wait_of_a_newer_one()
    {
        await TryAsync(Ada, entry: 1, lease: Short);
        await LapseAsync(LockName);
        await GrantAsync(Bob);
        Assert.False((await AskAsync(Ada, entry: 2)).IsGranted);
        await QueueAsync(Cy);

        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, entry: 1));
        Assert.Equal(1, (await AskAsync(Cy)).WaitersBefore);

        // Nor when the lock was passed to the newer one, which has not claimed it yet.
        await ReleaseAsync(Bob);
        await ReleaseAsync(Ada, entry: 1);
        await AssertHeldByAsync(Ada);
        Assert.True((await AskAsync(Ada, entry: 2)).IsGranted);
    }

    [Fact]
    [Failure("F27")]
    public async Task A_repeated_release_does_not_touch_the_waiter_to_whom_the_first_passed_the_lock()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada));
        await AssertHeldByAsync(Bob);
    }

    [Fact]
    public async Task A_renewal_extends_the_lease()
    {
        await GrantAsync(Ada, Short);
        Assert.True(await RenewAsync(Ada, Long));
        await PassAsync(2 * Short);
        await AssertHeldByAsync(Ada);
        Assert.InRange(await TimeToLiveAsync(), Long - Bound, Long);
    }

    [Fact]
    [Failure("F10")]
    public async Task A_renewal_by_someone_else_extends_nothing()
    {
        await GrantAsync(Ada);
        Assert.False(await RenewAsync(Bob, 2 * Long));
        Assert.False(await RenewAsync(Owner("ada", 2), 2 * Long));
        await AssertHeldByAsync(Ada);
        Assert.InRange(await TimeToLiveAsync(), TimeSpan.Zero, Long);
    }

    [Fact]
    [Failure("F10")]
    public async Task A_renewal_by_a_waiter_extends_nothing()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        Assert.False(await RenewAsync(Bob, 2 * Long));
        Assert.InRange(await TimeToLiveAsync(), TimeSpan.Zero, Long);
    }

    [Fact]
    [Failure("F10")]
    public async Task A_renewal_never_makes_a_lock()
    {
        Assert.False(await RenewAsync(Ada));
        await AssertNothingLeftAsync(LockName);

        await GrantAsync(Ada, Short);
        await LapseAsync(LockName);
        Assert.False(await RenewAsync(Ada));
        Assert.Null(await HolderAsync());
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task A_batch_of_renewals_is_replied_to_in_its_order()
    {
        const int count = 250;
        var names = Enumerable.Range(0, count).Select(i => $"{LockName}-{i}").ToArray();
        var holders = Enumerable.Range(0, count).Select(i => (i % 5) switch { 0 or 3 => Ada, 1 => Bob, _ => null }).ToArray();
        await Task.WhenAll(names.Zip(holders)
            .Where(held => held.Second is not null)
            .Select(held => Store.AcquireAsync(Requests.Acquire(held.First, held.Second!, Long), Cancellation))).WaitAsync(Bound, Cancellation);

        // As the watchdog does: those of a partition with each call.
        foreach (var batch in names.Zip(holders).GroupBy(held => Store.PartitionOf(held.First)))
        {
            var replies = await Store.RenewAsync([.. batch.Select(held => Requests.Renew(held.First, Ada, 2 * Long))], Cancellation).WaitAsync(Bound, Cancellation);
            Assert.Equal(batch.Select(held => held.Second == Ada ? RenewalReply.Renewed : RenewalReply.NotHeld), replies);
        }

        var after = await Task.WhenAll(names.Select(name => Administration.GetHolderAsync(name, Cancellation))).WaitAsync(Bound, Cancellation);
        Assert.Equal(holders, after.Select(holder => holder?.Owner));
        Assert.All(after.OfType<LockHolder>(), holder => Assert.Equal(holder.Owner == Ada, holder.TimeToLive > Long));
    }

    [Fact]
    public async Task An_empty_batch_of_renewals_has_no_replies() =>
        Assert.Empty(await Store.RenewAsync([], Cancellation).WaitAsync(Bound, Cancellation));

    [Fact]
    [Promise("G6")]
    [Failure("F3")]
    public async Task A_repeated_acquire_is_the_same_grant_and_one_entry()
    {
        var first = await TryAsync(Ada, entry: 1);
        var since = (await HeldAsync()).Since;
        var repeated = await TryAsync(Ada, entry: 1);
        Assert.Equal(first.FencingToken, repeated.FencingToken);
        Assert.Equal(since, (await HeldAsync()).Since);

        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, entry: 1));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G6")]
    [Failure("F4")]
    public async Task An_owner_enters_again_with_the_same_token_and_releases_as_often()
    {
        var first = await TryAsync(Ada, entry: 1);
        await QueueAsync(Bob);
        foreach (var entry in (long[])[2, 3, 3])
        {
            Assert.Equal(first.FencingToken, (await AskAsync(Ada, entry)).FencingToken);
        }

        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 1));
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 3));
        await AssertHeldByAsync(Ada);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, entry: 2));
        await AssertHeldByAsync(Bob);
    }

    /// <summary>The wait that it was handed over to may have heard of that, and hold it, before it has claimed it.</summary>
    [Fact]
    [Promise("G1")]
    [Failure("F4")]
    public async Task What_was_handed_over_to_one_wait_of_an_owner_outlasts_its_other_entries()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada);
        Assert.True((await AskAsync(Bob, entry: 2)).IsGranted);
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Bob, entry: 2));
        await AssertHeldByAsync(Bob);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob));
    }

    [Fact]
    [Failure("F27")]
    public async Task A_repeated_release_of_one_entry_leaves_the_others()
    {
        await TryAsync(Ada, entry: 1);
        await TryAsync(Ada, entry: 2);
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 2));
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 2));
        await AssertHeldByAsync(Ada);
    }

    [Fact]
    [Promise("G6")]
    public async Task A_grant_that_lapsed_leaves_no_entry_to_the_next_one()
    {
        await TryAsync(Ada, entry: 1, lease: Short);
        await LapseAsync(LockName);
        await TryAsync(Ada, entry: 2);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, entry: 2));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task Neither_a_renewal_nor_another_entry_shortens_the_lease()
    {
        await GrantAsync(Ada);
        Assert.True(await RenewAsync(Ada, Short));
        Assert.InRange(await TimeToLiveAsync(), Long - Bound, Long);

        Assert.True((await TryAsync(Ada, entry: 2, lease: Short)).IsGranted);
        Assert.InRange(await TimeToLiveAsync(), Long - Bound, Long);
    }

    [Fact]
    [Promise("G2", "G4")]
    [Failure("F45")]
    public async Task The_renewal_of_the_only_entry_ends_a_longer_lease_of_one_that_was_left()
    {
        await GrantAsync(Ada);
        Assert.True((await TryAsync(Ada, entry: 2, lease: 2 * Long)).IsGranted);
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(LockName, Ada, Long) with { Entry = 1 }], Cancellation).WaitAsync(Bound, Cancellation));
        Assert.InRange(await TimeToLiveAsync(), (2 * Long) - Bound, 2 * Long);

        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 2));
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(LockName, Ada, Long) with { Entry = 2 }], Cancellation).WaitAsync(Bound, Cancellation));
        Assert.InRange(await TimeToLiveAsync(), (2 * Long) - Bound, 2 * Long);

        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(LockName, Ada, Long) with { Entry = 1 }], Cancellation).WaitAsync(Bound, Cancellation));
        Assert.InRange(await TimeToLiveAsync(), Long - Bound, Long);
    }

    [Fact]
    public async Task Another_entry_with_a_longer_lease_extends_it()
    {
        await GrantAsync(Ada);
        await TryAsync(Ada, entry: 2, lease: 2 * Long);
        Assert.InRange(await TimeToLiveAsync(), (2 * Long) - Bound, 2 * Long);
    }

    [Fact]
    [Failure("F34")]
    public async Task The_lease_is_as_long_as_its_holder_asked_for_whatever_the_waiters_ask_for()
    {
        await GrantAsync(Ada, 2 * Long);
        var reply = await AskAsync(Bob, lease: Short);
        Assert.InRange(reply.Holder!.TimeToLive, (2 * Long) - Bound, 2 * Long);
        Assert.InRange(await TimeToLiveAsync(), (2 * Long) - Bound, 2 * Long);

        await ReleaseAsync(Ada);
        Assert.True((await AskAsync(Bob, lease: Long / 2)).IsGranted);
        Assert.InRange(await TimeToLiveAsync(), TimeSpan.Zero, Long / 2);
    }

    [Theory]
    [InlineData("jobs/nightly report: of 50% * of [all] 'shops' \"and\" \\more\\ ?", 1)]
    [InlineData("\u00fc\u00df \u0416 \u4e2d\u6587 \u05e2\u05d1 \ud83d\udd12", 1)]
    [InlineData("x", 504)]
    [InlineData("\ud83d\udd12", 126)]
    public async Task Every_name_that_is_allowed_works(string text, int times)
    {
        // With the eight characters of the run the longest are 512 bytes of UTF-8.
        var name = string.Concat(Enumerable.Repeat(text, times)) + _run;
        var heard = new Heard();
        await using var listening = await ListenAsync(Bob, heard);

        Assert.True((await Store.AcquireAsync(Requests.Acquire(name, Ada, Long), Cancellation)).IsGranted);
        Assert.False((await Store.AcquireAsync(Requests.Acquire(name, Bob, Long, wait: true), Cancellation)).IsGranted);
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(name, Ada, Long)], Cancellation));
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(name, Ada, Long), Cancellation));
        Assert.Equal(Bob, (await Administration.GetHolderAsync(name, Cancellation))?.Owner);
        await Eventually.IsTrueAsync(() => heard.Count > 0, Bound);
        AssertGrant(name, Bob, Assert.Single(heard.All));
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(name, Bob, Long), Cancellation));
        await AssertNothingLeftAsync(name);
    }

    [Fact]
    public async Task The_store_has_a_name_and_gives_a_sign_of_life()
    {
        Assert.NotEmpty(Store.Name);
        await Administration.PingAsync(Cancellation).WaitAsync(Bound, Cancellation);
    }
}
