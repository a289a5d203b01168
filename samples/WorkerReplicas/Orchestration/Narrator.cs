using SampleKit.Timeline;
using WorkerReplicas.Ledger;
using WorkerReplicas.Report;

namespace WorkerReplicas.Orchestration;

/// <summary>Tells on the time line what the ledger sees.</summary>
internal sealed class Narrator(Chronicle timeline)
{
    public void Watch(Journal journal)
    {
        journal.TermBegan += TermBegan;
        journal.LineRefused += term => timeline.Tell(term.Replica, $"writes late and is refused: token {term.Token} is outdated", Tone.Good);
        journal.FireBegan += fire => timeline.Tell(fire.Replica, $"runs the report of {Format.Time(fire.Time)}");
        journal.TermEnded += term => timeline.Tell(term.Replica, $"has stopped working, after {term.Written} lines");
    }

    private void TermBegan(Term term, Term? before)
    {
        var leads = $"leads with token {term.Token}";
        timeline.Tell(
            term.Replica,
            Takeover.Between(before, term) is { } takeover ? $"{leads}; {before!.Replica} {takeover.Incident.Verb} {Format.Seconds(takeover.Gap)} ago" : leads,
            Tone.Good);
    }
}
