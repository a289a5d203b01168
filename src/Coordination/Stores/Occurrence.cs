namespace Coordination.Stores;

/// <summary>One scheduled time of recurring work, which is to be run at most once.</summary>
public sealed record Occurrence
{
    /// <summary>Tells the series of occurrences of a lock apart, as of a job and a trigger.</summary>
    public required string Series { get; init; }

    /// <summary>The time for which it was scheduled, the same on every node. Compared in microseconds.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Who runs it. The same for repeated requests, and for further attempts of the same run.</summary>
    public required string Run { get; init; }

    /// <summary>How long the store remembers it.</summary>
    /// <value>From 1 ms to 366 days.</value>
    public required TimeSpan RememberFor { get; init; }

    /// <summary>Whether this run may take the place of one that was begun and not finished.</summary>
    /// <value>False by default.</value>
    public bool Recover { get; init; }
}
