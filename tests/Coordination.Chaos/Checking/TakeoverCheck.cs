namespace Coordination.Chaos.Checking;

/// <summary>A server that takes over has every grant that anybody was told of before the other died, where it confirmed them. Where it did not, what it lacks is counted.</summary>
internal static class TakeoverCheck
{
    public static IEnumerable<Violation> Find(RunRecord run) => run.Settings.LosesNothing
        ? Lost(run).Select(lost => new Violation(CheckKind.Takeover, lost.Takeover.At, $"{lost.Holding} was told before the server died at {lost.Takeover.At.TotalSeconds:F3} s, and the one that took over had no such grant."))
        : [];

    /// <summary>The grants that somebody was told of, and that the server which took over did not have.</summary>
    public static IEnumerable<(Takeover Takeover, Holding Holding)> Lost(RunRecord run)
    {
        var before = TimeSpan.MinValue;
        foreach (var takeover in run.Takeovers.OrderBy(takeover => takeover.At))
        {
            foreach (var holding in run.Holdings.Where(holding => holding.Granted > before && holding.Granted < takeover.At && holding.Token > takeover.Tokens.GetValueOrDefault(holding.Lock)))
            {
                yield return (takeover, holding);
            }

            before = takeover.At;
        }
    }
}
