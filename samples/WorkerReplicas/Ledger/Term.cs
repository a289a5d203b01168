using WorkerReplicas.Orchestration;

namespace WorkerReplicas.Ledger;

/// <summary>One term, as it looks from the ledger.</summary>
internal sealed class Term(string replica, long token, TimeSpan beganAt)
{
    public string Replica => replica;

    public long Token => token;

    /// <summary>When the replica began to work as the leader.</summary>
    public TimeSpan BeganAt => beganAt;

    /// <summary>When it stopped, by its own word; without one, when its connection was gone.</summary>
    public TimeSpan? EndedAt { get; set; }

    /// <summary>Whether the token was greater than that of every term before it.</summary>
    public bool TokenGrew { get; set; }

    public int Written { get; set; }

    public int Refused { get; set; }

    /// <summary>What was done to the replica in this term; null for nothing.</summary>
    public Incident? Incident { get; set; }

    /// <summary>
    /// Until when the replica counts as working: a stopped process believes that it leads until it looks again, and can do nothing
    /// meanwhile.
    /// </summary>
    public TimeSpan ActiveUntil(TimeSpan endOfRun)
    {
        var ended = EndedAt ?? endOfRun;
        return Incident is { Kind: IncidentKind.Paused } pause && pause.At < ended ? pause.At : ended;
    }
}
