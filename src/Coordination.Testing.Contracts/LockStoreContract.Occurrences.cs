using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Scheduled times that are run at most once.</content>
public abstract partial class LockStoreContract
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public async Task An_occurrence_that_was_run_is_refused_to_all_and_an_earlier_one_too()
    {
        await RunAsync(Ada, At(0, "ada"));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "ada");
        AssertAlreadyRun(await TryAsync(Bob, At(-1, "bob")), "ada");
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob", recover: true)), "ada");

        // Its own too, once another has gone further.
        await RunAsync(Bob, At(1, "bob"));
        AssertAlreadyRun(await TryAsync(Ada, At(0, "ada")), "bob");
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Failure("F90")]
    public async Task An_occurrence_that_is_forgotten_may_be_run_again_and_earlier_ones_too()
    {
        await RunAsync(Ada, At(0, "ada"));
        var series = At(0, "ada").Series;
        Assert.False(await Administration.ForgetOccurrenceAsync(LockName, series + "-other", Cancellation));
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "ada");
        Assert.True(await Administration.ForgetOccurrenceAsync(LockName, series, Cancellation));
        Assert.False(await Administration.ForgetOccurrenceAsync(LockName, series, Cancellation));
        await RunAsync(Bob, At(-1, "bob"));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G11")]
    public async Task An_occurrence_is_compared_in_microseconds()
    {
        await RunAsync(Ada, At(0, "ada"));
        var next = At(0, "bob") with { Time = Noon.AddMicroseconds(1) };
        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Bob, next)).OccurrenceStatus);
    }

    [Fact]
    [Promise("G6")]
    [Failure("F3")]
    public async Task A_repeated_request_gets_the_same_grant_and_the_same_occurrence()
    {
        var first = await TryAsync(Ada, At(0, "ada"));
        var again = await TryAsync(Ada, At(0, "ada"));
        Assert.Equal((first.FencingToken, OccurrenceStatus.Started), (again.FencingToken, again.OccurrenceStatus));
        Assert.Null(again.OccurrenceRun);
    }

    [Fact]
    public async Task A_further_attempt_of_the_same_run_gets_its_occurrence_again()
    {
        await RunAsync(Ada, At(0, "ada"));
        var reply = await TryAsync(Dan, At(0, "ada"));
        Assert.True(reply.IsGranted);
        Assert.Equal(OccurrenceStatus.Started, reply.OccurrenceStatus);

        // And it is not done again, until it is.
        var other = await TryAsync(Bob, At(0, "bob", recover: true));
        Assert.Equal((OccurrenceStatus.Running, "ada"), (other.OccurrenceStatus, other.OccurrenceRun));
    }

    [Fact]
    [Failure("F33")]
    public async Task An_occurrence_that_is_not_the_holders_is_free_for_whoever_gets_the_lock()
    {
        await GrantAsync(Ada);
        var refused = await TryAsync(Bob, At(0, "bob"));
        Assert.Equal((false, OccurrenceStatus.None, Ada), (refused.IsGranted, refused.OccurrenceStatus, refused.Holder!.Owner));
        await ReleaseAsync(Ada);
        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Cy, At(0, "cy"))).OccurrenceStatus);
    }

    [Theory]
    [Failure("F33")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_occurrence_that_was_begun_and_not_finished_is_recovered_only_by_who_may(bool recover)
    {
        Assert.True((await TryAsync(Ada, At(0, "ada"), lease: Short)).IsGranted);
        await LapseAsync(LockName);
        var reply = await TryAsync(Bob, At(0, "bob", recover));
        if (!recover)
        {
            AssertAlreadyRun(reply, "ada");
            return;
        }

        Assert.True(reply.IsGranted);
        Assert.Equal((OccurrenceStatus.Recovering, "ada"), (reply.OccurrenceStatus, reply.OccurrenceRun));

        // Once: it is this run's now.
        var third = await TryAsync(Cy, At(0, "cy", recover));
        Assert.Equal((OccurrenceStatus.Running, "bob"), (third.OccurrenceStatus, third.OccurrenceRun));
        await ReleaseAsync(Bob, At(0, "bob"));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy", recover)), "bob");

        // The run that was given up does not end it.
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, At(0, "ada"), isFinished: false));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy", recover)), "bob");
    }

    [Fact]
    [Failure("F33")]
    public async Task An_occurrence_that_is_run_now_may_be_waited_for()
    {
        await TryAsync(Ada, At(0, "ada"));
        var waiting = await Store.AcquireAsync(Request(Bob, At(0, "bob", recover: true)) with { Wait = true }, Cancellation);
        Assert.Equal((false, OccurrenceStatus.Running, "ada"), (waiting.IsGranted, waiting.OccurrenceStatus, waiting.OccurrenceRun));
        Assert.Equal(1, await Leftovers.CountWaitersAsync(Store, LockName));
        await ReleaseAsync(Ada, At(0, "ada"));

        // It is passed the lock, and finds that there is nothing to do; it holds the lock until it releases it, and waits no more.
        await AssertHeldByAsync(Bob);
        AssertAlreadyRun(await Store.AcquireAsync(Request(Bob, At(0, "bob", recover: true)) with { Wait = true }, Cancellation), "ada");
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Failure("F33")]
    public async Task A_waiter_whose_occurrence_was_run_meanwhile_leaves_the_queue()
    {
        await GrantAsync(Ada);
        await Store.AcquireAsync(Request(Bob, At(0, "bob")) with { Wait = true }, Cancellation);

        // The holder turns to the occurrence itself.
        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Ada, At(0, "ada"))).OccurrenceStatus);
        AssertAlreadyRun(await Store.AcquireAsync(Request(Bob, At(0, "bob")) with { Wait = true }, Cancellation), "ada");
        Assert.Equal(0, await Leftovers.CountWaitersAsync(Store, LockName));
    }

    [Fact]
    [Promise("G11")]
    public async Task A_holder_that_asks_for_a_finished_occurrence_is_refused_and_keeps_the_lock()
    {
        await RunAsync(Ada, At(0, "ada"));
        var token = await GrantAsync(Bob);
        AssertAlreadyRun(await TryAsync(Bob, At(0, "bob")), "ada");
        Assert.Equal((Bob, token), ((await HeldAsync()).Owner, (await HeldAsync()).FencingToken));

        // Nor does what it undoes take the occurrence from the run that had it.
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, At(0, "bob"), isFinished: false));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy")), "ada");
    }

    [Fact]
    [Promise("G8")]
    public async Task An_occurrence_that_is_undone_is_anothers_and_an_earlier_one_is_not()
    {
        await TryAsync(Ada, At(0, "ada"));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(0, "ada"), isFinished: false));
        AssertAlreadyRun(await TryAsync(Bob, At(-1, "bob")), null);
        var reply = await TryAsync(Bob, At(0, "bob"));
        Assert.Equal((true, OccurrenceStatus.Started), (reply.IsGranted, reply.OccurrenceStatus));
    }

    [Fact]
    [Promise("G5")]
    public async Task Only_the_last_entry_of_the_owner_ends_the_occurrence()
    {
        await TryAsync(Ada, At(0, "ada"));
        Assert.True((await TryAsync(Ada, entry: 2)).IsGranted);
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada, At(0, "ada")));
        Assert.Equal(OccurrenceStatus.Running, (await TryAsync(Bob, At(0, "bob", recover: true))).OccurrenceStatus);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob, At(0, "ada")));
        Assert.Equal(OccurrenceStatus.Running, (await TryAsync(Bob, At(0, "bob", recover: true))).OccurrenceStatus);
    }

    [Fact]
    public async Task An_occurrence_is_ended_also_where_the_lock_stays_held_or_passes_on()
    {
        await TryAsync(Ada, At(0, "ada"));
        await QueueAsync(Bob);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, At(0, "ada")));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy", recover: true)), "ada");

        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Bob, At(1, "bob"))).OccurrenceStatus);
        var release = Requests.Release(LockName, Bob, Long, lockAtLeastFor: Long, occurrence: At(1, "bob"));
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(release, Cancellation));
        AssertAlreadyRun(await TryAsync(Cy, At(1, "cy", recover: true)), "bob");
    }

    [Fact]
    [Promise("G11")]
    public async Task The_occurrences_of_a_lock_that_passed_on_are_started_with_the_claim()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada);
        await AssertHeldByAsync(Bob);
        Assert.Equal(OccurrenceStatus.Started, (await TryAsync(Bob, At(0, "bob"))).OccurrenceStatus);
        await ReleaseAsync(Bob, At(0, "bob"));
        AssertAlreadyRun(await TryAsync(Cy, At(0, "cy")), "bob");
    }

    [Fact]
    [Promise("G11")]
    public async Task Series_of_a_lock_have_nothing_to_do_with_each_other_whatever_they_are_called()
    {
        // Each one earlier than those before it, and by another run: in one series with any of them it would be refused.
        string[] names = ["a", "a b", "{a}", "a:{b}@cron 0/2 * * * * ?", "ä"];
        for (var i = 0; i < names.Length; i++)
        {
            var occurrence = At(-i, "ada" + i) with { Series = names[i] };
            await RunAsync(Ada, occurrence);
            AssertAlreadyRun(await TryAsync(Bob, occurrence with { Run = "bob" }), "ada" + i);
        }
    }

    [Fact]
    public async Task An_occurrence_is_remembered_for_as_long_as_was_asked()
    {
        var occurrence = At(0, "ada") with { RememberFor = Short };
        await RunAsync(Ada, occurrence);
        await Eventually.IsTrueAsync(
            async () =>
            {
                var reply = await TryAsync(Bob, At(0, "bob"));
                await ReleaseAsync(Bob, At(0, "bob"));
                return reply.OccurrenceStatus == OccurrenceStatus.Started;
            },
            Bound);

        // Remembered for longer now, by that one.
        await PassAsync(Short);
        AssertAlreadyRun(await TryAsync(Cy, occurrence with { Run = "cy" }), "bob");
    }

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public async Task Of_many_nodes_that_race_for_an_occurrence_exactly_one_runs_it()
    {
        var owners = Enumerable.Range(0, 20).Select(i => Owner("racer" + i)).ToArray();
        for (var second = 0; second < 10; second++)
        {
            var at = second;
            var ran = await AtOnce.Async(
                owners,
                async owner =>
                {
                    // As nodes whose clocks differ by more than the work takes: again and again, at any moment.
                    var runs = 0;
                    for (var i = 0; i < 3; i++)
                    {
                        if ((await TryAsync(owner, At(at, owner.NodeId))) is { IsGranted: true, OccurrenceStatus: OccurrenceStatus.Started })
                        {
                            runs++;
                            await ReleaseAsync(owner, At(at, owner.NodeId));
                            break;
                        }
                    }

                    return runs;
                },
                Bound);
            Assert.Equal(1, ran.Sum());
        }
    }

    private static Occurrence At(int second, string run, bool recover = false) => new()
    {
        Series = "job@trigger",
        Time = Noon.AddSeconds(second),
        Run = run,
        Recover = recover,
        RememberFor = TimeSpan.FromMinutes(5),
    };

    private static void AssertAlreadyRun(AcquireReply reply, string? by) =>
        Assert.Equal((false, null, OccurrenceStatus.AlreadyRun, by), (reply.IsGranted, reply.Holder, reply.OccurrenceStatus, reply.OccurrenceRun));

    private AcquireRequest Request(LockOwner owner, Occurrence occurrence, TimeSpan? lease = null) =>
        Requests.Acquire(LockName, owner, lease ?? Long, claimWindow: Long, occurrence: occurrence);

    private Task<AcquireReply> TryAsync(LockOwner owner, Occurrence occurrence, TimeSpan? lease = null) =>
        Store.AcquireAsync(Request(owner, occurrence, lease), Cancellation).WaitAsync(Bound, Cancellation);

    private Task<ReleaseReply> ReleaseAsync(LockOwner owner, Occurrence occurrence, bool isFinished = true) =>
        Store.ReleaseAsync(Requests.Release(LockName, owner, Long, occurrence: occurrence, occurrenceIsFinished: isFinished), Cancellation).WaitAsync(Bound, Cancellation);

    private async Task RunAsync(LockOwner owner, Occurrence occurrence)
    {
        var reply = await TryAsync(owner, occurrence);
        Assert.Equal((true, OccurrenceStatus.Started), (reply.IsGranted, reply.OccurrenceStatus));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(owner, occurrence));
    }
}
