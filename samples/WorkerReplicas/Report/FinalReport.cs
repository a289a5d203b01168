using SampleKit.Timeline;
using Spectre.Console;
using WorkerReplicas.CommandLine;
using WorkerReplicas.Ledger;
using WorkerReplicas.Orchestration;

namespace WorkerReplicas.Report;

/// <summary>The table at the end, and the verdict in words.</summary>
internal sealed class FinalReport(IAnsiConsole console, Verdict verdict)
{
    public void Print(RunOptions options)
    {
        console.WriteLine();
        console.Write(TermTable());
        console.Write(FireTable());
        PrintPauses();
        if (options.Measure is { } incident)
        {
            PrintMeasurement(incident, options);
        }

        PrintVerdict();
    }

    private Table TermTable()
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.Markdown : TableBorder.Simple };
        table.AddColumns("term", "who", "token", "ended", "takeover", "lines", "refused", "overlaps");
        foreach (var column in table.Columns)
        {
            // Eight columns fit into 80 characters so.
            column.NoWrap().Padding(0, 0, 1, 0);
        }

        foreach (var numeric in (int[])[0, 4, 5, 6, 7])
        {
            table.Columns[numeric].RightAligned();
        }

        for (var i = 0; i < verdict.Terms.Count; i++)
        {
            var term = verdict.Terms[i];
            table.AddRow(
                Format.Number(i + 1),
                term.Replica,
                Format.Number(term.Token),
                Ending(term),
                verdict.TakeoverFrom(term) is { } takeover ? Format.Milliseconds(takeover.Gap) : "",
                Format.Number(term.Written),
                Format.Number(term.Refused),
                Format.Number(verdict.OverlapsOf(term)));
        }

        return table;
    }

    private Table FireTable()
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.Markdown : TableBorder.Simple };
        table.AddColumns("report of", "ran on", "token", "done", "runs");
        table.Columns[4].RightAligned();
        foreach (var runs in verdict.Fires)
        {
            table.AddRow(
                Format.Time(runs.Key),
                string.Join(", ", runs.Select(run => run.Replica)),
                string.Join(", ", runs.Select(run => Format.Number(run.Token))),
                string.Join(", ", runs.Select(run => run.IsDone ? "yes" : "no")),
                Format.Number(runs.Count()));
        }

        return table;
    }

    private void PrintPauses()
    {
        foreach (var term in verdict.Terms)
        {
            if (term is { Incident: { Kind: IncidentKind.Paused, LeaseEndsAt: { } leaseEnded }, EndedAt: { } ended } && ended > leaseEnded)
            {
                var late = term.Refused > 0 ? "The ledger kept its late line out by its token." : "NO LATE LINE OF ITS WAS REFUSED.";
                console.WriteLine($"{term.Replica} was stopped when its lease ended, and believed that it led for {Format.Milliseconds(ended - leaseEnded)} more, until it ran again and looked: no signal reaches a process that does not run. {late}");
            }
        }
    }

    private void PrintMeasurement(IncidentKind incident, RunOptions options)
    {
        var takeovers = verdict.Terms.Select(verdict.TakeoverFrom).OfType<Takeover>().Where(t => t.Incident.Kind == incident).ToList();
        Summarize($"Takeover after the leader {new Incident(incident, default).Verb} (lease {RunOptions.Format(options.Lease)} s)", takeovers.Select(t => t.Gap));
        if (incident == IncidentKind.Killed)
        {
            Summarize("Of that, after the lease had ended", takeovers.Select(t => t.AfterLease).OfType<TimeSpan>());
        }
    }

    private void Summarize(string what, IEnumerable<TimeSpan> times)
    {
        TimeSpan[] sorted = [.. times.Order()];
        if (sorted.Length > 0)
        {
            var median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
            console.WriteLine($"{what}: median {Format.Milliseconds(median)}, max {Format.Milliseconds(sorted[^1])}, min {Format.Milliseconds(sorted[0])}, {sorted.Length} runs.");
        }
    }

    private void PrintVerdict()
    {
        foreach (var overlap in verdict.Overlaps)
        {
            console.MarkupLine($"[red]{overlap.Earlier.Replica} (token {overlap.Earlier.Token}) and {overlap.Later.Replica} (token {overlap.Later.Token}) both worked for {Format.Milliseconds(overlap.Length)}.[/]");
        }

        foreach (var term in verdict.TokensThatDidNotGrow)
        {
            console.MarkupLine($"[red]The token {term.Token} of {term.Replica} is not greater than all before.[/]");
        }

        foreach (var runs in verdict.Fires.Where(runs => runs.Count() > 1))
        {
            console.MarkupLine($"[red]The report of {Format.Time(runs.Key)} ran {runs.Count()} times.[/]");
        }

        if (verdict.Update is { IsWithinLimit: false } update)
        {
            console.MarkupLine($"[red]The rolling update took {update.Terms.Count} terms ({string.Join(", ", update.Terms.Select(t => t.Replica))}), where {UpdateCost.MaxTerms} are enough.[/]");
        }

        var counts = $"{verdict.Terms.Count} terms, {verdict.Terms.Sum(t => t.Written)} lines written, {verdict.Terms.Sum(t => t.Refused)} refused, {verdict.Overlaps.Count} overlaps; {verdict.Fires.Count} reports, {verdict.FiresThatRanTwice} of them run twice{UpdateInWords()}.";
        console.MarkupLine(verdict.ExclusionHeld ? $"[green bold]Exclusion held.[/] {counts}" : $"[red bold]EXCLUSION DID NOT HOLD.[/] {counts}");
    }

    private string UpdateInWords() =>
        verdict.Update is { } update ? $"; a rolling update of {update.Replicas} replicas took {update.Terms.Count} terms" : "";

    private string Ending(Term term) => term.Incident?.Kind switch
    {
        IncidentKind.Killed => "killed",
        IncidentKind.Stopped => "stopped",
        IncidentKind.Paused => "lost",
        IncidentKind.SteppedDown => "step-down",
        IncidentKind.Replaced => "replaced",
        _ => term == verdict.Terms[^1] ? "running" : "by itself",
    };
}
