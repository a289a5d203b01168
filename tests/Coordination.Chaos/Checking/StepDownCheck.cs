namespace Coordination.Chaos.Checking;

/// <summary>Who is asked to step down, and nothing disturbs it, ends its work and believes no longer within the time in which it is asked again, and some more.</summary>
internal static class StepDownCheck
{
    /// <summary>An operator asks again each second.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(1.25);

    public static IEnumerable<Violation> Find(RunRecord run) =>
        from ask in run.Asks
        where ask.To >= ask.From + Bound
        from holding in run.Holdings
        where holding.Lock == ask.Lock && holding.Granted < ask.From && holding.End - run.UnscheduledOf(holding.By, ask.From, holding.End) > ask.From + Bound && !IsDisturbed(run, holding, ask)
        select new Violation(CheckKind.StepDown, ask.To, $"{holding} was asked to step down from {ask.From.TotalSeconds:F3} s on, and had not by {(ask.From + Bound).TotalSeconds:F3} s.");

    private static bool IsDisturbed(RunRecord run, Holding holding, StepDownAsk ask) =>
        run.Disturbances.Any(d => d.Strikes(holding.Worker) && d.Overlaps(ask.From - (2 * run.Settings.Lease), ask.From + Bound));
}
