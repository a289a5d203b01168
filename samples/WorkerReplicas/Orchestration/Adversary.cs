using SampleKit.Processes;
using SampleKit.Timeline;
using WorkerReplicas.Ledger;

namespace WorkerReplicas.Orchestration;

/// <summary>What may happen to a leader, done on purpose. Each ends when the next leader works.</summary>
internal sealed class Adversary(Fleet fleet, LedgerServer ledger, LeaseObserver observer, Chronicle timeline, TimeSpan lease)
{
    private static readonly TimeSpan AfterTakeover = TimeSpan.FromSeconds(1);

    // A machine that is busy with much else takes long to start a process; the lease itself is the smaller part.
    private readonly TimeSpan _patience = lease + TimeSpan.FromSeconds(40);

    /// <summary>Waits for a leader that works, to which nothing has happened yet, and for all others to stand by.</summary>
    public async Task<Term> LeaderAsync(CancellationToken cancellationToken)
    {
        var leader = await ledger.Journal.WhenAsync(
            terms => terms is [.., { EndedAt: null, Incident: null, Written: > 0 } last] ? last : null,
            "No replica worked as the leader",
            _patience,
            cancellationToken);
        await fleet.StandbysAsync(leader.Replica, _patience, cancellationToken);
        return leader;
    }

    public Task<Term> StrikeAsync(Term leader, IncidentKind kind, CancellationToken cancellationToken) => kind switch
    {
        IncidentKind.Killed => KillAsync(leader, cancellationToken),
        IncidentKind.Stopped or IncidentKind.Replaced => StopAsync(leader, kind, cancellationToken),
        IncidentKind.SteppedDown => StepDownAsync(leader, cancellationToken),
        _ => PauseAsync(leader, cancellationToken),
    };

    private async Task<Term> KillAsync(Term leader, CancellationToken cancellationToken)
    {
        leader.Incident = new Incident(IncidentKind.Killed, MonotonicClock.Now);
        fleet[leader.Replica].Kill();
        await NoteEndOfLeaseAsync(leader, "is killed (SIGKILL)", cancellationToken);
        return await NextLeaderAsync(leader, cancellationToken);
    }

    private async Task<Term> StopAsync(Term leader, IncidentKind kind, CancellationToken cancellationToken)
    {
        timeline.Tell(leader.Replica, "is told to stop (SIGTERM)", Tone.Bad);
        leader.Incident = new Incident(kind, MonotonicClock.Now);
        fleet[leader.Replica].Terminate();
        return await NextLeaderAsync(leader, cancellationToken);
    }

    private async Task<Term> StepDownAsync(Term leader, CancellationToken cancellationToken)
    {
        timeline.Tell(leader.Replica, "is asked to step down, and to stay away for a while", Tone.Bad);
        leader.Incident = new Incident(IncidentKind.SteppedDown, MonotonicClock.Now);
        await fleet[leader.Replica].AskToStepDownAsync(cancellationToken);
        return await NextLeaderAsync(leader, cancellationToken);
    }

    private async Task<Term> PauseAsync(Term leader, CancellationToken cancellationToken)
    {
        var process = fleet[leader.Replica];

        // Between two lines of a batch, so that it has a line to write when it wakes.
        await ledger.InterruptBatchAsync(
            leader,
            () =>
            {
                leader.Incident = new Incident(IncidentKind.Paused, MonotonicClock.Now);
                process.Pause();
            },
            _patience,
            cancellationToken);
        await NoteEndOfLeaseAsync(leader, "is paused in mid-batch (SIGSTOP)", cancellationToken);

        var next = await NextLeaderAsync(leader, cancellationToken);
        await Task.Delay(AfterTakeover, cancellationToken);

        timeline.Tell(leader.Replica, "goes on (SIGCONT), and knows nothing of it", Tone.Bad);
        process.Resume();
        await ledger.Journal.WhenAsync(
            _ => leader is { Refused: > 0, EndedAt: not null } ? leader : null,
            $"The late line of {leader.Replica} was not refused",
            _patience,
            cancellationToken);
        return next;
    }

    private async Task NoteEndOfLeaseAsync(Term leader, string blow, CancellationToken cancellationToken)
    {
        var ends = await observer.LeaseEndsAtAsync(leader.Token, cancellationToken);
        leader.Incident = leader.Incident! with { LeaseEndsAt = ends };
        timeline.Tell(leader.Replica, ends is null ? blow : $"{blow}; its lease ends in {Format.Seconds(ends.Value - MonotonicClock.Now)}", Tone.Bad);
    }

    private Task<Term> NextLeaderAsync(Term leader, CancellationToken cancellationToken) => ledger.Journal.WhenAsync(
        terms => terms.LastOrDefault(t => t.Token > leader.Token && t.Written > 0),
        $"No replica took over from {leader.Replica}",
        _patience,
        cancellationToken);
}
