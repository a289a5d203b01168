using System.Globalization;
using System.Text;
using Coordination.Chaos.History;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.Reports;

/// <summary>A run in words, for people.</summary>
internal static class Report
{
    /// <summary>A run on one line.</summary>
    public static string Line(RunResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"{result.Options.Scenario.Name,-18} {result.Options.Contender,-20} seed {result.Options.Seed,-7} {result.Run.End.TotalSeconds,5:F0} s  {result.Happened.Count,4} faults {result.Grants,6} grants {result.Handovers,6} handovers {result.Verdict.Violations.Count,4} violations")
        + (result.Run.Takeovers.Count > 0 ? $", {result.LostGrants} grants lost at a takeover" : "")
        + (result.Options.Scenario.IsGuarded ? $", {result.Run.GuardedWrites.Count} guarded transactions committed and {result.Uncommitted} not" : "");

    /// <summary>A run that did not come about, on one line.</summary>
    public static string Line(RunOptions options, RunNotStartedException cause) =>
        string.Create(CultureInfo.InvariantCulture, $"{options.Scenario.Name,-18} {options.Contender,-20} seed {options.Seed,-7} did not start: {cause.Message.ReplaceLineEndings(" ")}");

    /// <summary>Several runs on one line.</summary>
    public static string Summary(IReadOnlyList<RunResult> results, int notStarted, TimeSpan elapsed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{results.Count} runs in {elapsed.TotalMinutes:F1} min: {results.Sum(r => r.Happened.Count)} faults, {results.Sum(r => r.Grants)} grants, {results.Sum(r => r.Handovers)} handovers, {results.Sum(r => r.Run.Fires.Count)} fires, "
        + $"{results.Sum(r => r.WriteCount)} writes of which {results.Sum(r => r.Refused)} were refused by their token, {results.Sum(r => r.Verdict.OverlapsOfPaused)} overlaps of paused holders, {results.Sum(r => r.Verdict.OverlapsAfterLoss)} after a loss of data, {results.Sum(r => r.LostGrants)} grants lost at {results.Sum(r => r.Run.Takeovers.Count)} takeovers; "
        + $"{results.Sum(r => r.Verdict.Violations.Count)} violations{(notStarted > 0 ? $"; {notStarted} more runs did not start" : "")}");

    /// <summary>Writes the report of a run into a folder of its own.</summary>
    /// <returns>The path of the Markdown file.</returns>
    public static async Task<string> WriteAsync(RunResult result, string folder)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, $"{result.Options.Scenario.Name}-{result.Options.Contender}-{result.Options.Seed}".ToLowerInvariant())).FullName;
        var pictures = Picture.Windows(result).ToArray();
        for (var i = 0; i < pictures.Length; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(own, $"timeline-{i + 1}.svg"), Picture.Draw(result, pictures[i].From, pictures[i].To));
        }

        await File.WriteAllBytesAsync(Path.Combine(own, "history.jsonl"), [.. result.Events.SelectMany(HistoryFile.Line)]);
        var file = Path.Combine(own, "report.md");
        await File.WriteAllTextAsync(file, Text(result, pictures));
        return file;
    }

    private static string Text(RunResult result, (TimeSpan From, TimeSpan To)[] pictures)
    {
        var (options, verdict) = (result.Options, result.Verdict);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {options.Scenario.Name}: {(verdict.Violations.Count == 0 ? "nothing found" : $"{verdict.Violations.Count} violations")}");
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"In this run of {result.Run.End.TotalSeconds:F0} s, {options.Scenario.Summary}.").AppendLine();
        text.AppendLine("| | |").AppendLine("| --- | --- |");
        Row("lock", options.Contender);
        Row("seed", options.Seed);
        Row("workers, locks", $"{options.Scenario.Workers}, {options.Scenario.Locks}");
        Row("lease, safety margin, claim window", $"{options.Lease.TotalSeconds} s, {RunOptions.Margin.TotalMilliseconds} ms, {RunOptions.ClaimWindow.TotalMilliseconds} ms");
        Row("faults", string.Join(", ", result.Happened.GroupBy(d => d.Kind).Select(kind => $"{kind.Count()} × {kind.Key}")));
        Row("grants", result.Grants);
        Row("handovers", $"{result.Handovers}{Times(result.HandoverTimes)}");
        Row("failovers after a death", $"{result.FailoverTimes.Count}{Times(result.FailoverTimes)}");
        Row("releases to a node of choice that was waiting undisturbed", result.Successions);
        Row("holdings that were lost for want of progress", result.Hung);
        Row("drains of a node", result.Run.Drains.Count);
        Row("whether the shares of partitions in the end were judged", Checking.PartitionCheck.JudgesShares(result.Run) && result.Run.Settings.Partitions.Count > 0 ? "yes" : "no");
        Row("fires", result.Run.Fires.Count);
        Row("writes", $"{result.WriteCount}, of which the fenced register refused {result.Refused}");
        Row("late writes that the register with no fence accepted", Checking.FenceCheck.CountLate(result.Run));
        Row("overlaps of holders that were paused past their lease", verdict.OverlapsOfPaused);
        Row("overlaps after the server lost a lock", verdict.OverlapsAfterLoss);
        Row("grants that a server which took over did not have", result.LostGrants);
        Row("transactions that a lock guards", $"{result.Run.GuardedWrites.Count} committed, {result.Uncommitted} did not");
        Row("violations", verdict.Violations.Count);

        if (verdict.Violations.Count > 0)
        {
            text.AppendLine().AppendLine("## Violations").AppendLine().AppendLine("| at | check | what |").AppendLine("| --- | --- | --- |");
            foreach (var violation in verdict.Violations)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| {violation.At.TotalSeconds:F3} s | {violation.Check} | {violation.Text.ReplaceLineEndings(" ")} |");
            }
        }

        text.AppendLine().AppendLine("## Time line").AppendLine();
        text.AppendLine("A lane for each worker, a bar for each holding, dark where a process was not scheduled; faults are shaded, violations are red lines.").AppendLine();
        for (var i = 0; i < pictures.Length; i++)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"![{pictures[i].From.TotalSeconds:F0} s to {pictures[i].To.TotalSeconds:F0} s](timeline-{i + 1}.svg)").AppendLine();
        }

        text.AppendLine("## Faults").AppendLine().AppendLine("| from | to | what | whom |").AppendLine("| --- | --- | --- | --- |");
        foreach (var d in result.Happened)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {d.From.TotalSeconds:F3} s | {d.To.TotalSeconds:F3} s | {d.Kind} | {d.Worker ?? d.Loss?.Lock ?? "all"} |");
        }

        text.AppendLine().AppendLine("Again, with the same faults at the same times:").AppendLine().AppendLine("```bash");
        text.AppendLine(CultureInfo.InvariantCulture, $"dotnet run --project tests/Coordination.Chaos -- {options.Scenario.Name} --lock {options.Contender} --seed {options.Seed} --duration {options.Duration.TotalSeconds}");
        return text.AppendLine("```").ToString();

        void Row(string name, object value) => text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {value} |");
    }

    private static string Times(IReadOnlyList<TimeSpan> sorted) => sorted.Count == 0
        ? string.Empty
        : string.Create(CultureInfo.InvariantCulture, $"; with a waiter there, median {sorted[sorted.Count / 2].TotalMilliseconds:F1} ms, 99th percentile {sorted[(int)(0.99 * (sorted.Count - 1))].TotalMilliseconds:F1} ms, longest {sorted[^1].TotalMilliseconds:F1} ms");
}
