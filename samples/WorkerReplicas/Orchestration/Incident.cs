namespace WorkerReplicas.Orchestration;

/// <summary>Something that was done to a leader.</summary>
/// <param name="Kind">What.</param>
/// <param name="At">When.</param>
internal sealed record Incident(IncidentKind Kind, TimeSpan At)
{
    /// <summary>When the lease ends by itself that the leader had then; null where it is released.</summary>
    public TimeSpan? LeaseEndsAt { get; init; }

    /// <summary>From when on somebody else may lead at all.</summary>
    public TimeSpan FreeFrom => Kind == IncidentKind.Paused && LeaseEndsAt is { } ends ? ends : At;

    public string Verb => Kind switch
    {
        IncidentKind.Killed => "was killed",
        IncidentKind.Stopped => "was told to stop",
        IncidentKind.SteppedDown => "was asked to step down",
        IncidentKind.Replaced => "was told to stop, to be replaced,",
        _ => "lost its lease",
    };
}
