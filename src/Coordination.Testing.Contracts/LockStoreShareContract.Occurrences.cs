using Coordination.Stores;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Scheduled times that are run at most once, where there is room for several runs of different ones.</content>
public abstract partial class LockStoreShareContract
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public async Task A_run_under_way_is_not_recovered_though_there_is_room_beside_it()
    {
        var running = await TryAsync(Ada, At(0, "ada"));
        Assert.Equal((true, OccurrenceStatus.Started, 0), (running.IsGranted, running.OccurrenceStatus, running.Permit));
        await GrantAsync(Cy, OneOfThree);

        var reply = await TryAsync(Bob, At(0, "bob", recover: true));
        Assert.Equal((false, OccurrenceStatus.Running, "ada"), (reply.IsGranted, reply.OccurrenceStatus, reply.OccurrenceRun));
        Assert.Equal((Ada, running.FencingToken), (reply.Holder!.Owner, reply.Holder.FencingToken));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "ada");
        await AssertHeldByAsync(Ada, Cy);
        Assert.Equal(0, (await InspectAsync()).WaiterCount);

        // Asked again, as after a lost reply, its own run gets the same.
        var again = await TryAsync(Ada, At(0, "ada"));
        Assert.Equal((running.FencingToken, 0, OccurrenceStatus.Started), (again.FencingToken, again.Permit, again.OccurrenceStatus));
    }

    [Theory]
    [Promise("G11")]
    [Failure("F76")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_whose_holder_is_dead_or_left_it_unfinished_is_recovered(bool isDead)
    {
        await TryAsync(Ada, At(0, "ada"), isDead ? Short : Long);
        await GrantAsync(Cy, OneOfThree);
        await (isDead ? LapseAsync(LockName, Ada) : ReleaseAsync(Ada, OneOfThree));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "ada");
        var reply = await TryAsync(Bob, At(0, "bob", recover: true));
        Assert.Equal((true, OccurrenceStatus.Recovering, "ada"), (reply.IsGranted, reply.OccurrenceStatus, reply.OccurrenceRun));

        // Now it is the other's.
        Assert.Equal((OccurrenceStatus.Running, "bob"), Found(await TryAsync(Dan, At(0, "dan", recover: true))));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, At(0, "bob")));
        AssertAlreadyRun(await TryAsync(Dan, At(0, "dan", recover: true)), "bob");
    }

    [Fact]
    [Promise("G11")]
    public async Task An_occurrence_that_was_run_is_refused_though_there_is_room_and_an_undone_one_not()
    {
        await TryAsync(Ada, At(0, "ada"));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(0, "ada")));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob", recover: true)), "ada");

        await TryAsync(Ada, At(1, "ada"));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(1, "ada"), isFinished: false));
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Bob, At(1, "bob"))));
    }

    [Fact]
    [Promise("G11")]
    public async Task A_later_occurrence_runs_beside_an_earlier_one_whose_end_changes_nothing_of_it()
    {
        await TryAsync(Ada, At(0, "ada"));
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Bob, At(1, "bob"))));
        await AssertHeldByAsync(Ada, Bob);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(0, "ada")));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy", recover: true)), "ada");
        Assert.Equal((OccurrenceStatus.Running, "bob"), Found(await TryAsync(Cy, At(1, "cy", recover: true))));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, At(1, "bob")));
        AssertAlreadyRun(await TryAsync(Cy, At(1, "cy", recover: true)), "bob");
    }

    [Theory]
    [Promise("G11")]
    [Failure("F33")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_earlier_occurrence_is_run_once_also_where_a_later_one_has_begun(bool isLaterOver)
    {
        await TryAsync(Ada, At(1, "ada"));
        if (isLaterOver)
        {
            await ReleaseAsync(Ada, At(1, "ada"));
        }

        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Bob, At(0, "bob"))));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy")), "bob");
        Assert.Equal((OccurrenceStatus.Running, "bob"), Found(await TryAsync(Cy, At(0, "cy", recover: true))));

        // As after a lost reply.
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Bob, At(0, "bob"))));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, At(0, "bob")));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy", recover: true)), "bob");
        Assert.Equal(isLaterOver ? OccurrenceStatus.AlreadyRun : OccurrenceStatus.Running, (await TryAsync(Cy, At(1, "cy", recover: true))).OccurrenceStatus);
    }

    [Theory]
    [Promise("G11")]
    [Failure("F33", "F76")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_was_cut_short_is_recovered_while_a_later_one_goes_on(bool isDead)
    {
        await TryAsync(Ada, At(0, "ada"), isDead ? Short : Long);
        await TryAsync(Bob, At(1, "bob"));
        await (isDead ? LapseAsync(LockName, Ada) : ReleaseAsync(Ada, OneOfThree));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy")), "ada");
        Assert.Equal((OccurrenceStatus.Recovering, "ada"), Found(await TryAsync(Cy, At(0, "cy", recover: true))));
        Assert.Equal((OccurrenceStatus.Running, "cy"), Found(await TryAsync(Dan, At(0, "dan", recover: true))));
        await AssertHeldByAsync(Bob, Cy);

        // What the first one says of it counts for nothing any more.
        await TryAsync(Ada, At(2, "ada"));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(0, "ada"), isFinished: false));
        Assert.Equal((OccurrenceStatus.Running, "cy"), Found(await TryAsync(Dan, At(0, "dan", recover: true))));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Cy, At(0, "cy")));
        AssertAlreadyRun(await TryAsync(Dan, At(0, "dan", recover: true)), "cy");
    }

    [Fact]
    [Promise("G11")]
    public async Task An_earlier_occurrence_that_is_undone_is_free_for_another_run()
    {
        await TryAsync(Ada, At(1, "ada"));
        await TryAsync(Bob, At(0, "bob"));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, At(0, "bob"), isFinished: false));
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Cy, At(0, "cy"))));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "cy");
    }

    /// <summary>One that was cut short is remembered for longer than those that are done.</summary>
    [Fact]
    [Promise("G11")]
    public async Task What_is_too_early_to_be_remembered_counts_as_run_but_for_what_is_not_done()
    {
        await TryAsync(Ada, At(0, "ada"));
        await ReleaseAsync(Ada, OneOfThree);
        for (var second = 1; second <= 70; second++)
        {
            await TryAsync(Ada, At(second, "ada"));
            await ReleaseAsync(Ada, At(second, "ada"));
        }

        AssertAlreadyRun(await TryAsync(Bob, At(-1, "bob", recover: true)), "ada");
        AssertAlreadyRun(await TryAsync(Bob, At(1, "bob", recover: true)), "ada");
        AssertAlreadyRun(await TryAsync(Bob, At(69, "bob", recover: true)), "ada");
        Assert.Equal((OccurrenceStatus.Recovering, "ada"), Found(await TryAsync(Bob, At(0, "bob", recover: true))));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, At(0, "bob")));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy", recover: true)), "bob");
    }

    [Fact]
    [Promise("G11")]
    public async Task All_occurrences_of_a_series_are_forgotten_together()
    {
        await TryAsync(Ada, At(1, "ada"));
        await ReleaseAsync(Ada, At(1, "ada"));
        await TryAsync(Ada, At(0, "ada"));
        await ReleaseAsync(Ada, At(0, "ada"));
        Assert.True(await Administration.ForgetOccurrenceAsync(LockName, "nightly", Cancellation));
        Assert.False(await Administration.ForgetOccurrenceAsync(LockName, "nightly", Cancellation));
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Bob, At(0, "bob"))));
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Cy, At(1, "cy"))));
    }

    [Fact]
    [Promise("G11")]
    public async Task Series_of_one_lock_run_beside_each_other()
    {
        await TryAsync(Ada, At(0, "ada"));
        var other = At(0, "bob", recover: true) with { Series = At(0, "bob").Series + "-other" };
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Bob, other)));
        Assert.Equal((OccurrenceStatus.Running, "ada"), Found(await TryAsync(Cy, At(0, "cy", recover: true))));
    }

    [Fact]
    [Promise("G11")]
    public async Task A_holder_that_asks_for_an_occurrence_gets_it_with_its_grant_or_keeps_that_alone()
    {
        await TryAsync(Ada, At(0, "ada"));
        var held = await GrantAsync(Bob, OneOfThree);
        Assert.Equal((OccurrenceStatus.Running, "ada"), Found(await TryAsync(Bob, At(0, "bob", recover: true))));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "ada");
        await AssertHeldByAsync(Ada, Bob);

        var begun = await TryAsync(Bob, At(1, "bob"));
        Assert.Equal((held.FencingToken, held.Permit, OccurrenceStatus.Started), (begun.FencingToken, begun.Permit, begun.OccurrenceStatus));
        Assert.Equal((OccurrenceStatus.Running, "bob"), Found(await TryAsync(Cy, At(1, "cy", recover: true))));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, At(1, "bob")));
        AssertAlreadyRun(await TryAsync(Cy, At(1, "cy", recover: true)), "bob");
    }

    [Fact]
    [Promise("G11")]
    public async Task An_occurrence_is_remembered_when_the_name_is_used_with_another_capacity()
    {
        await TryAsync(Ada, At(0, "ada"));
        await ReleaseAsync(Ada, At(0, "ada"));
        var exclusive = Requests.Acquire(LockName, Bob, Long, occurrence: At(0, "bob", recover: true));
        AssertAlreadyRun(await Store.AcquireAsync(exclusive, Cancellation), "ada");
        Assert.True((await Store.AcquireAsync(exclusive with { Occurrence = At(1, "bob") }, Cancellation)).IsGranted);
        await ReleaseAsync(Bob, share: null);
        Assert.Equal((OccurrenceStatus.Recovering, "bob"), Found(await TryAsync(Cy, At(1, "cy", recover: true))));
        await ReleaseAsync(Cy, OneOfThree);

        // An exclusive lock knows the last one alone, whatever was known before.
        await TryAsync(Cy, At(3, "cy"));
        await ReleaseAsync(Cy, At(3, "cy"));
        AssertAlreadyRun(await Store.AcquireAsync(exclusive with { Occurrence = At(2, "bob") }, Cancellation), "cy");
        Assert.True((await Store.AcquireAsync(exclusive with { Occurrence = At(5, "bob") }, Cancellation)).IsGranted);
        await ReleaseAsync(Bob, share: null);
        AssertAlreadyRun(await TryAsync(Cy, At(4, "cy", recover: true)), "bob");
        AssertAlreadyRun(await TryAsync(Cy, At(1, "cy", recover: true)), "bob");
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Cy, At(7, "cy"))));
        Assert.Equal((OccurrenceStatus.Started, null), Found(await TryAsync(Dan, At(6, "dan"))));
        AssertAlreadyRun(await TryAsync(Bob, At(4, "bob", recover: true)), "cy");
    }

    private static Occurrence At(int second, string run, bool recover = false) => new()
    {
        Series = "nightly",
        Time = Noon.AddSeconds(second),
        Run = run,
        RememberFor = TimeSpan.FromMinutes(10),
        Recover = recover,
    };

    private static (OccurrenceStatus Status, string? Run) Found(AcquireReply reply) => (reply.OccurrenceStatus, reply.OccurrenceRun);

    private static void AssertAlreadyRun(AcquireReply reply, string by)
    {
        Assert.False(reply.IsGranted);
        Assert.Equal((OccurrenceStatus.AlreadyRun, by), Found(reply));
    }

    private Task<AcquireReply> TryAsync(LockOwner owner, Occurrence occurrence, TimeSpan? lease = null) =>
        Store.AcquireAsync(Requests.Acquire(LockName, owner, lease ?? Long, occurrence: occurrence) with { Share = OneOfThree }, Cancellation).WaitAsync(Bound, Cancellation);

    private Task<ReleaseReply> ReleaseAsync(LockOwner owner, Occurrence occurrence, bool isFinished = true) => Store.ReleaseAsync(
        Requests.Release(LockName, owner, Long, occurrence: occurrence, occurrenceIsFinished: isFinished) with { Share = OneOfThree }, Cancellation).WaitAsync(Bound, Cancellation);
}
