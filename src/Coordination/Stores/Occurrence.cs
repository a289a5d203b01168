namespace Coordination.Stores;

/// <summary>One scheduled time of recurring work, which is to be run at most once.</summary>
/// <param name="Series">Tells the series of occurrences of a lock apart, as of a job and a trigger.</param>
/// <param name="Time">The time for which it was scheduled, the same on every node. Compared in microseconds.</param>
/// <param name="Run">Who runs it. The same for repeated requests, and for further attempts of the same run.</param>
/// <param name="Recover">Whether this run may take the place of one that was begun and not finished.</param>
/// <param name="RememberFor">How long the store remembers it.</param>
public sealed record Occurrence(string Series, DateTimeOffset Time, string Run, bool Recover, TimeSpan RememberFor)
{
    /// <summary>Microseconds since 1970.</summary>
    internal long Micros => (Time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
