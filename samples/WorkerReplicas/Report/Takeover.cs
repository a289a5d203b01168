using WorkerReplicas.Ledger;
using WorkerReplicas.Orchestration;

namespace WorkerReplicas.Report;

/// <summary>From one leader to the next, after something was done to the first.</summary>
internal sealed record Takeover(Term From, Term To, Incident Incident)
{
    /// <summary>From the blow (of a paused leader: from the end of its lease) until the next leader began to work.</summary>
    public TimeSpan Gap => To.BeganAt - Incident.FreeFrom;

    /// <summary>What of it came after the lease of the first had ended; null where it was released.</summary>
    public TimeSpan? AfterLease => To.BeganAt - Incident.LeaseEndsAt;

    public static Takeover? Between(Term? from, Term? to) =>
        from?.Incident is { } incident && to is not null ? new Takeover(from, to, incident) : null;
}
