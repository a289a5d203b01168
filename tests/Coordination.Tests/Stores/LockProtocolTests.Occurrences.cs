using Coordination.Stores;

namespace Coordination.Tests.Stores;

/// <content>Occurrences.</content>
public sealed partial class LockProtocolTests
{
    private static readonly TimeSpan RememberFor = TimeSpan.FromMinutes(5);

    [Fact]
    [Promise("G11")]
    public void An_occurrence_is_run_once_and_so_is_no_earlier_one()
    {
        Assert.Equal((true, OccurrenceStatus.Started), TryFor(Ada, At(1, "ada")));
        Finish(Ada, At(1, "ada"));
        Assert.Equal((false, OccurrenceStatus.AlreadyRun), TryFor(Bob, At(1, "bob")));
        Assert.Equal((false, OccurrenceStatus.AlreadyRun), TryFor(Bob, At(0, "bob")));
        Assert.Equal((false, OccurrenceStatus.AlreadyRun), TryFor(Bob, At(1, "bob", recover: true)));
        Assert.Equal((true, OccurrenceStatus.Started), TryFor(Bob, At(2, "bob")));
    }

    [Fact]
    [Promise("G11")]
    public void Series_of_one_lock_know_nothing_of_each_other()
    {
        TryFor(Ada, At(1, "ada"));
        Finish(Ada, At(1, "ada"));
        Assert.Equal((true, OccurrenceStatus.Started), TryFor(Bob, At(0, "bob") with { Series = "another" }));
    }

    [Fact]
    [Promise("G6", "G11")]
    public void A_repeated_request_of_a_run_gets_the_reply_of_the_first()
    {
        var first = Try(Ada, occurrence: At(0, "ada"));
        var again = Try(Ada, occurrence: At(0, "ada"));
        Assert.Equal((first.FencingToken, OccurrenceStatus.Started), (again.FencingToken, again.OccurrenceStatus));
    }

    [Fact]
    [Promise("G11")]
    public void Who_is_refused_for_its_occurrence_leaves_the_queue()
    {
        TryFor(Ada, At(0, "ada"));
        Ask(Bob);
        Assert.Equal(OccurrenceStatus.AlreadyRun, Ask(Bob, occurrence: At(0, "bob")).OccurrenceStatus);
        Assert.Empty(_state.Waiters);
    }

    [Fact]
    [Promise("G11")]
    public void What_was_begun_and_not_finished_is_for_a_run_that_recovers()
    {
        TryFor(Ada, At(0, "ada"));
        var waiting = Try(Bob, occurrence: At(0, "bob", recover: true));
        Assert.Equal((false, OccurrenceStatus.Running, "ada"), (waiting.IsGranted, waiting.OccurrenceStatus, waiting.OccurrenceRun));

        Pass(Lease);
        Assert.Equal((false, OccurrenceStatus.AlreadyRun), TryFor(Bob, At(0, "bob")));
        var recovered = Try(Bob, occurrence: At(0, "bob", recover: true));
        Assert.Equal((true, OccurrenceStatus.Recovering, "ada"), (recovered.IsGranted, recovered.OccurrenceStatus, recovered.OccurrenceRun));

        // What is said of the dead run changes nothing, whoever says it.
        Finish(Ada, At(0, "ada"));
        Finish(Bob, At(0, "ada"));
        Assert.Equal("bob", Assert.Single(_state.Occurrences).Run);
        Assert.False(Assert.Single(_state.Occurrences).IsFinished);
    }

    [Fact]
    [Promise("G11")]
    public void An_occurrence_that_was_undone_is_free_for_another_run()
    {
        TryFor(Ada, At(0, "ada"));
        Finish(Ada, At(0, "ada"), isFinished: false);
        Assert.Equal((true, OccurrenceStatus.Started), TryFor(Bob, At(0, "bob")));
    }

    [Fact]
    [Promise("G11")]
    public void What_is_said_of_an_occurrence_counts_for_no_other_time_of_its_series()
    {
        TryFor(Ada, At(1, "ada"));
        Finish(Ada, At(0, "ada"));
        Assert.False(Assert.Single(_state.Occurrences).IsFinished);
    }

    [Fact]
    [Promise("G11")]
    public void An_occurrence_is_finished_also_where_the_lock_stays_held_for_some_time()
    {
        TryFor(Ada, At(0, "ada"));
        Apply(LockProtocol.Release(
            _state, Requests.Release(LockName, Ada, ClaimWindow, lockAtLeastFor: Lease, occurrence: At(0, "ada")), _now));
        Assert.True(Assert.Single(_state.Occurrences).IsFinished);
    }

    [Fact]
    [Promise("G11")]
    public void A_held_lock_says_nothing_of_an_occurrence_that_nobody_began()
    {
        Granted(Ada);
        Assert.Equal((false, OccurrenceStatus.None), TryFor(Bob, At(0, "bob")));
        Assert.Empty(_state.Occurrences);
    }

    [Fact]
    [Promise("G11")]
    public void Times_are_compared_in_microseconds()
    {
        TryFor(Ada, At(0, "ada"));
        Finish(Ada, At(0, "ada"));
        var sameMicrosecond = At(0, "bob") with { Time = Noon.AddTicks(9) };
        Assert.Equal((false, OccurrenceStatus.AlreadyRun), TryFor(Bob, sameMicrosecond));
        Assert.Equal((true, OccurrenceStatus.Started), TryFor(Bob, sameMicrosecond with { Time = Noon.AddTicks(10) }));
    }

    [Fact]
    public void An_occurrence_is_remembered_for_as_long_as_the_longest_of_its_series_asked()
    {
        TryFor(Ada, At(0, "ada"));
        Finish(Ada, At(0, "ada"));
        Pass(TimeSpan.FromMinutes(1));
        TryFor(Ada, At(1, "ada") with { RememberFor = TimeSpan.FromMinutes(1) });
        Finish(Ada, At(1, "ada"));
        Pass(RememberFor - TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        Assert.Equal((false, OccurrenceStatus.AlreadyRun), TryFor(Bob, At(1, "bob")));
        Pass(TimeSpan.FromTicks(1));
        Assert.True(LockProtocol.IsEmpty(LockProtocol.Expire(_state, _now)));
        Assert.Equal((true, OccurrenceStatus.Started), TryFor(Bob, At(1, "bob")));
    }

    private static Occurrence At(int second, string run, bool recover = false) => new()
    {
        Series = "job@trigger",
        Time = Noon.AddSeconds(second),
        Run = run,
        Recover = recover,
        RememberFor = RememberFor,
    };

    private (bool IsGranted, OccurrenceStatus Status) TryFor(LockOwner owner, Occurrence occurrence)
    {
        var reply = Try(owner, entry: 1, occurrence: occurrence);
        return (reply.IsGranted, reply.OccurrenceStatus);
    }

    private void Finish(LockOwner owner, Occurrence occurrence, bool isFinished = true) =>
        Apply(LockProtocol.Release(_state, Requests.Release(LockName, owner, ClaimWindow, occurrence: occurrence, occurrenceIsFinished: isFinished), _now));
}
