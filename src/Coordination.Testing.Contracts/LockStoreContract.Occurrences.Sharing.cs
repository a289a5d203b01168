using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Scheduled times that are run at most once, where several want the lock.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    [Promise("G11")]
    public async Task A_holder_is_refused_an_earlier_occurrence_and_ends_only_its_own()
    {
        var token = (await TryAsync(Ada, At(1, "ada"))).FencingToken;
        Assert.Equal(OccurrenceStatus.AlreadyRun, (await TryAsync(Ada, At(0, "ada"))).OccurrenceStatus);
        Assert.Equal(token, (await HeldAsync()).FencingToken);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(0, "ada")));
        var reply = await TryAsync(Bob, At(1, "bob", recover: true));
        Assert.Equal((OccurrenceStatus.Recovering, "ada"), (reply.OccurrenceStatus, reply.OccurrenceRun));
    }

    [Fact]
    [Failure("F33")]
    public async Task An_occurrence_that_is_run_now_is_refused_to_who_may_not_recover_it()
    {
        await TryAsync(Ada, At(0, "ada"));
        AssertAlreadyRun(await Store.AcquireAsync(Request(Bob, At(0, "bob")) with { Wait = true }, Cancellation), "ada");
        Assert.Equal(0, await Leftovers.CountWaitersAsync(Store, LockName));
    }

    [Fact]
    [Failure("F33")]
    public async Task A_later_occurrence_than_the_holders_is_nobodys_until_it_is_granted()
    {
        await TryAsync(Ada, At(0, "ada"));
        var refused = await TryAsync(Bob, At(1, "bob", recover: true));
        Assert.Equal((false, OccurrenceStatus.None, Ada), (refused.IsGranted, refused.OccurrenceStatus, refused.Holder!.Owner));
        Assert.Null(refused.OccurrenceRun);
        await ReleaseAsync(Ada, At(0, "ada"));
        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Cy, At(1, "cy"))).OccurrenceStatus);
    }

    [Fact]
    [Failure("F9", "F33")]
    public async Task Who_finds_a_dead_holder_and_passes_the_lock_on_starts_no_occurrence()
    {
        await GrantAsync(Ada, Short);
        await QueueAsync(Bob);
        await LapseAsync(LockName);
        var refused = await TryAsync(Cy, At(0, "cy"));
        Assert.Equal((false, OccurrenceStatus.None, Bob), (refused.IsGranted, refused.OccurrenceStatus, refused.Holder!.Owner));
        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Bob, At(0, "bob"))).OccurrenceStatus);
    }

    [Fact]
    [Promise("G8")]
    [Failure("F33")]
    public async Task A_recovered_occurrence_that_is_undone_is_anothers_as_if_it_had_not_begun()
    {
        await TryAsync(Ada, At(0, "ada"), lease: Short);
        await LapseAsync(LockName);
        Assert.Equal(OccurrenceStatus.Recovering, (await TryAsync(Bob, At(0, "bob", recover: true))).OccurrenceStatus);
        await ReleaseAsync(Bob, At(0, "bob", recover: true), isFinished: false);
        var started = await TryAsync(Cy, At(0, "cy", recover: true));
        Assert.Equal((OccurrenceStatus.Started, null), (started.OccurrenceStatus, started.OccurrenceRun));
        await ReleaseAsync(Cy, At(0, "cy"), isFinished: false);
        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Dan, At(0, "dan"))).OccurrenceStatus);
    }

    [Fact]
    [Failure("F3")]
    public async Task A_repeated_request_that_recovered_an_occurrence_keeps_it()
    {
        await TryAsync(Ada, At(0, "ada"), lease: Short);
        await LapseAsync(LockName);
        var first = await TryAsync(Bob, At(0, "bob", recover: true));
        var again = await TryAsync(Bob, At(0, "bob", recover: true));
        Assert.Equal((first.FencingToken, OccurrenceStatus.Started), (again.FencingToken, again.OccurrenceStatus));
        await ReleaseAsync(Bob, At(0, "bob"));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy", recover: true)), "bob");
    }

    [Fact]
    [Failure("F27")]
    public async Task A_repeated_release_changes_nothing_of_the_occurrence()
    {
        await RunAsync(Ada, At(0, "ada"));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, At(0, "ada"), isFinished: false));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob", recover: true)), "ada");
    }

    [Theory]
    [Promise("G11")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_does_not_end_an_occurrence_that_another_run_of_its_owner_recovered(bool isFinished)
    {
        await TryAsync(Ada, At(0, "one"));
        var second = await Store.AcquireAsync(Request(Ada, At(0, "two", recover: true)) with { Entry = 2 }, Cancellation);
        Assert.Equal((true, OccurrenceStatus.Recovering, "one"), (second.IsGranted, second.OccurrenceStatus, second.OccurrenceRun));
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, entry: 2));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(0, "one"), isFinished));
        var reply = await TryAsync(Bob, At(0, "bob", recover: true));
        Assert.Equal((OccurrenceStatus.Recovering, "two"), (reply.OccurrenceStatus, reply.OccurrenceRun));
    }

    [Fact]
    [Failure("F33")]
    public async Task An_occurrence_whose_lock_an_operator_revoked_is_not_finished()
    {
        var token = Assert.NotNull((await TryAsync(Ada, At(0, "ada"))).FencingToken);
        Assert.True(await Administration.RevokeAsync(LockName, token, Long, Cancellation));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, At(0, "ada")));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "ada");
        Assert.Equal(OccurrenceStatus.Recovering, (await TryAsync(Bob, At(0, "bob", recover: true))).OccurrenceStatus);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_refused_occurrence_costs_no_other_wait_of_the_owner_its_place()
    {
        await RunAsync(Ada, At(0, "ada"));
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        AssertAlreadyRun(await Store.AcquireAsync(Request(Bob, At(0, "bob")) with { Entry = 2 }, Cancellation), "ada");
        Assert.Equal(1, await Leftovers.CountWaitersAsync(Store, LockName));
        await ReleaseAsync(Ada);
        await AssertHeldByAsync(Bob);
    }

    [Fact]
    [Promise("G11")]
    public async Task A_series_is_of_one_lock()
    {
        await RunAsync(Ada, At(0, "ada"));
        var other = await Store.AcquireAsync(Request(Bob, At(0, "bob")) with { LockName = LockName + "-other" }, Cancellation);
        Assert.Equal(OccurrenceStatus.Started, other.OccurrenceStatus);
    }

    [Fact]
    public async Task An_occurrence_is_not_forgotten_sooner_for_one_that_is_remembered_for_less()
    {
        await RunAsync(Ada, At(0, "ada"));
        await RunAsync(Bob, At(1, "bob") with { RememberFor = Short });
        await PassAsync(Short);
        AssertAlreadyRun(await TryAsync(Cy, At(1, "cy")), "bob");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_occurrence_that_was_not_finished_is_forgotten_as_well(bool isUndone)
    {
        var occurrence = At(0, "ada") with { RememberFor = Short };
        await TryAsync(Ada, occurrence);
        _ = isUndone ? await ReleaseAsync(Ada, occurrence, isFinished: false) : await ReleaseAsync(Ada);
        await Eventually.IsTrueAsync(async () => (await TryAsync(Bob, At(-1, "bob"))).OccurrenceStatus == OccurrenceStatus.Started, Bound);
    }

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public async Task Of_many_nodes_that_race_to_recover_an_occurrence_exactly_one_does()
    {
        var owners = Enumerable.Range(0, 20).Select(i => Owner("racer" + i)).ToArray();
        for (var second = 0; second < 3; second++)
        {
            await TryAsync(Ada, At(second, "ada"), lease: Short);
            await LapseAsync(LockName);
            var at = second;
            var replies = await AtOnce.Async(owners, owner => TryAsync(owner, At(at, owner.NodeId, recover: true)), Bound);
            var winner = Array.FindIndex(replies, reply => reply.IsGranted);
            Assert.Equal((OccurrenceStatus.Recovering, "ada"), (replies[winner].OccurrenceStatus, replies[winner].OccurrenceRun));
            Assert.All(
                replies.Where((_, i) => i != winner),
                reply => Assert.Equal((false, OccurrenceStatus.Running, owners[winner].NodeId), (reply.IsGranted, reply.OccurrenceStatus, reply.OccurrenceRun)));
            await ReleaseAsync(owners[winner], At(at, owners[winner].NodeId));
        }
    }
}
