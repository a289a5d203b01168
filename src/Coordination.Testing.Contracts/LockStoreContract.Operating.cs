using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>What operators see and do.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    public async Task An_inspection_shows_the_holder_and_the_waiters_in_order_with_their_waiting_time()
    {
        var token = await GrantAsync(Ada);
        await QueueAsync(Bob);
        await PassAsync(Short);
        await QueueAsync(Cy, Dan);
        var inspection = await InspectAsync();

        Assert.Equal(LockName, inspection.LockName);
        Assert.NotNull(inspection.Holder);
        Assert.Equal((Ada, token, false), (inspection.Holder.Owner, inspection.Holder.FencingToken, inspection.Holder.IsReleased));
        Assert.InRange(inspection.Holder.TimeToLive, Long - Bound, Long);
        Assert.Equal([Bob, Cy, Dan], inspection.Waiters.Select(waiter => waiter.Owner));
        Assert.Equal(3, inspection.WaiterCount);
        Assert.All(inspection.Waiters, waiter => Assert.True(waiter.IsAlive));
        Assert.All(inspection.Waiters, waiter => Assert.InRange(waiter.WaitingFor, TimeSpan.Zero, Bound));
        Assert.True(inspection.Waiters[0].WaitingFor > Short - TimeSpan.FromMilliseconds(5));
        Assert.True(inspection.Waiters[0].WaitingFor > inspection.Waiters[1].WaitingFor);

        // Asking again changes nothing about since when.
        await AskAsync(Bob);
        Assert.True((await InspectAsync()).Waiters[0].WaitingFor >= inspection.Waiters[0].WaitingFor);
    }

    [Fact]
    public async Task An_inspection_lists_as_many_waiters_as_asked_and_counts_all_of_them()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy, Dan);
        var inspection = await InspectAsync(2);
        Assert.Equal([Bob, Cy], inspection.Waiters.Select(waiter => waiter.Owner));
        Assert.Equal(3, inspection.WaiterCount);
        Assert.Empty((await InspectAsync(0)).Waiters);
    }

    [Fact]
    public async Task An_inspection_tells_a_waiter_that_no_longer_asks_from_one_that_does()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        await ReleaseAsync(Ada, claimWindow: Short);
        await LapseAsync(LockName);
        var inspection = await InspectAsync();
        Assert.Null(inspection.Holder);
        Assert.Equal([(Bob, false), (Cy, true)], inspection.Waiters.Select(waiter => (waiter.Owner, waiter.IsAlive)));
    }

    [Fact]
    public async Task An_inspection_of_a_lock_that_nobody_uses_is_empty()
    {
        var inspection = await InspectAsync();
        Assert.Null(inspection.Holder);
        Assert.Empty(inspection.Waiters);
        Assert.Equal(0, inspection.WaiterCount);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task The_list_has_the_locks_that_are_held_and_no_others()
    {
        var names = Enumerable.Range(0, 30).Select(i => $"{LockName}-*[{i}]?").ToArray();
        foreach (var name in names)
        {
            Assert.True((await Store.AcquireAsync(Requests.Acquire(name, Ada, Long), Cancellation)).IsGranted);
        }

        await Store.AcquireAsync(Requests.Acquire(names[0], Bob, Long, wait: true), Cancellation);
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(names[1], Ada, Long), Cancellation));
        Assert.Equal(names.Except([names[1]]).Order(), (await ListAsync()).Where(name => name.StartsWith(LockName, StringComparison.Ordinal)).Order());
        foreach (var name in names)
        {
            await Store.ReleaseAsync(Requests.Release(name, Bob, Long), Cancellation);
            await Store.ReleaseAsync(Requests.Release(name, Ada, Long), Cancellation);
        }

        Assert.DoesNotContain(await ListAsync(), name => name.StartsWith(LockName, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_release_by_token_passes_the_lock_on_and_the_holder_learns_who_did_it()
    {
        var (holders, waiters) = (new Heard(), new Heard());
        await using var holdersListening = await ListenAsync(Ada, holders);
        await using var waitersListening = await ListenAsync(Bob, waiters);
        var token = await GrantAsync(Ada);
        await QueueAsync(Bob);
        Assert.True(await RevokeAsync(token));

        await Eventually.IsTrueAsync(() => holders.Count > 0 && waiters.Count > 0, Bound);
        Assert.Equal(LockNotification.Revoked(LockName, Ada, token), Assert.Single(holders.All));
        AssertGrant(LockName, Bob, Assert.Single(waiters.All));
        Assert.Equal(RenewalReply.Revoked, await RenewalReplyAsync(Ada, token: token));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada));
        Assert.True((await AskAsync(Bob)).FencingToken > token);
    }

    [Fact]
    public async Task A_release_by_token_of_a_lock_that_nobody_waits_for_leaves_it_free()
    {
        var token = await GrantAsync(Ada, 4 * Short);
        Assert.True(await RevokeAsync(token));
        Assert.Null(await HolderAsync());
        Assert.Equal(RenewalReply.Revoked, await RenewalReplyAsync(Ada, token: token));

        // Asked again, as after a lost reply, the reply is the same; and all that is gone when the lease would have been.
        Assert.True(await RevokeAsync(token));
        await PassAsync(4 * Short);
        Assert.False(await RevokeAsync(token));
        Assert.Equal(RenewalReply.NotHeld, await RenewalReplyAsync(Ada, token: token));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task A_release_by_the_token_of_an_older_grant_touches_nothing()
    {
        var old = await GrantAsync(Ada);
        await ReleaseAsync(Ada);
        await GrantAsync(Bob);
        Assert.False(await RevokeAsync(old));
        await AssertHeldByAsync(Bob);
        Assert.Equal(RenewalReply.Renewed, await RenewalReplyAsync(Bob));
    }

    [Fact]
    [Failure("F10")]
    public async Task An_older_grant_of_an_owner_is_not_renewed_by_a_newer_one()
    {
        var old = await GrantAsync(Ada);
        Assert.True(await RevokeAsync(old));
        var token = await GrantAsync(Ada);
        Assert.Equal(RenewalReply.Revoked, await RenewalReplyAsync(Ada, token: old));
        Assert.Equal(RenewalReply.Renewed, await RenewalReplyAsync(Ada, token: token));
        Assert.Equal(RenewalReply.NotHeld, await RenewalReplyAsync(Ada, token: old - 1));
    }

    [Fact]
    public async Task Each_of_several_holders_whose_lock_was_revoked_learns_of_it()
    {
        var first = await GrantAsync(Ada);
        Assert.True(await RevokeAsync(first));
        var second = await GrantAsync(Bob);
        Assert.True(await RevokeAsync(second));
        Assert.Equal(RenewalReply.Revoked, await RenewalReplyAsync(Ada, token: first));
        Assert.Equal(RenewalReply.Revoked, await RenewalReplyAsync(Bob, token: second));
    }

    [Fact]
    public async Task A_release_by_token_ends_the_time_that_a_lock_was_to_be_locked_at_least()
    {
        var token = await GrantAsync(Ada);
        await ReleaseAsync(Ada, lockAtLeastFor: Long);
        Assert.True(await RevokeAsync(token));
        Assert.True((await TryAsync(Bob)).IsGranted);
        Assert.Equal(RenewalReply.NotHeld, await RenewalReplyAsync(Ada));
    }

    private Task<LockInspection> InspectAsync(int maxWaiters = 100) => Administration.InspectAsync(LockName, maxWaiters, Cancellation).WaitAsync(Bound, Cancellation);

    private Task<bool> RevokeAsync(long token) => Administration.RevokeAsync(LockName, token, Long, Cancellation).WaitAsync(Bound, Cancellation);

    private async Task<List<string>> ListAsync()
    {
        var names = new List<string>();
        string? cursor = null;
        do
        {
            var page = await Administration.ListAsync(cursor, Cancellation).WaitAsync(Bound, Cancellation);
            names.AddRange(page.LockNames);
            cursor = page.Next;
        }
        while (cursor is not null);
        return [.. names.Distinct()];
    }
}
