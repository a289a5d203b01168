namespace Coordination.Chaos.Checking;

/// <summary>Judges a run from outside, by what the processes wrote down and by what the resource saw.</summary>
internal static class Checker
{
    public static Verdict Check(RunRecord run)
    {
        var exclusion = new ExclusionCheck(run);
        List<Violation> violations =
        [
            .. exclusion.Find(),
            .. TokenCheck.Find(run),
            .. FenceCheck.Find(run),
            .. ToldFirstCheck.Find(run),
            .. ServedCheck.Find(run),
            .. OrderCheck.Find(run),
            .. SuccessionCheck.Find(run),
            .. ProgressCheck.Find(run),
            .. StepDownCheck.Find(run),
            .. DrainCheck.Find(run),
            .. PartitionCheck.Find(run),
            .. GuardCheck.Find(run),
            .. TakeoverCheck.Find(run),
            .. run.Residue.Select(left => new Violation(CheckKind.Residue, run.End, left)),
            .. FireCheck.Find(run),
            .. run.Failures.Select(failure => new Violation(CheckKind.Workers, run.End, failure)),
        ];
        return new Verdict([.. violations.OrderBy(violation => violation.At)], exclusion.OverlapsOfPaused, exclusion.OverlapsAfterLoss);
    }
}
