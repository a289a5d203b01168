using System.Text;

namespace Coordination.Benchmarks.Reports;

/// <summary>Lines as a Markdown table, padded so that it can be read as it is.</summary>
internal static class Table
{
    private static readonly Line Head = new("what", "Coordination", "DistributedLock", "RedLock.net", "target");

    public static string Of(IEnumerable<Line> lines)
    {
        var rows = lines.Select(line => Cells(line, line.Verdict)).Prepend(Cells(Head, "reached")).ToList();
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        rows.Insert(1, [.. widths.Select(width => new string('-', width))]);
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            text.Append("| ").AppendJoin(" | ", row.Select((cell, column) => cell.PadRight(widths[column]))).Append(" |\n");
        }

        return text.ToString();
    }

    private static string[] Cells(Line line, string verdict) => [line.What, line.Ours, line.DistributedLock, line.RedLock, line.Target, verdict];
}
