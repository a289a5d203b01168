using System.Globalization;
using System.Net;
using System.Text;
using Coordination.Chaos.Checking;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.Reports;

/// <summary>A time line as SVG.</summary>
internal static class Picture
{
    private const int Left = 70;
    private const int Top = 24;
    private const int RowHeight = 18;
    private static readonly TimeSpan Widest = TimeSpan.FromSeconds(40);
    private static readonly string[] Colours = ["#3b76af", "#57a05a", "#b2763c", "#8465a8", "#3d9a9a"];

    /// <summary>What to draw: the beginning, and what surrounds the first violations of a run that is longer.</summary>
    public static IEnumerable<(TimeSpan From, TimeSpan To)> Windows(RunResult result)
    {
        var end = result.Run.End + TimeSpan.FromSeconds(1);
        yield return (TimeSpan.Zero, Min(end, Widest));
        var drawn = Widest;
        foreach (var violation in result.Verdict.Violations.Where(violation => violation.At > Widest).Take(50))
        {
            if (violation.At > drawn)
            {
                var from = violation.At - (Widest / 4);
                drawn = from + Widest;
                yield return (from, Min(end, drawn));
            }
        }
    }

    public static string Draw(RunResult result, TimeSpan from, TimeSpan to)
    {
        var run = result.Run;
        var scale = 1400 / Math.Max(1, (to - from).TotalSeconds);
        var names = Enumerable.Range(1, result.Options.Scenario.Workers).Select(i => $"w{i}").ToArray();
        var locks = run.Locks.ToArray();
        var laneHeight = (Math.Max(1, locks.Length) * RowHeight) + 18;
        var (width, height) = (Left + 1420, Top + (names.Length * laneHeight) + 40);
        var svg = new StringBuilder();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="11">""");
        svg.AppendLine("""<rect width="100%" height="100%" fill="white"/>""");
        for (var second = (int)Math.Ceiling(from.TotalSeconds); second <= to.TotalSeconds; second++)
        {
            Line(X(TimeSpan.FromSeconds(second)), "#e4e4e4", string.Empty);
            Text(X(TimeSpan.FromSeconds(second)) - 6, 12, $"{second}");
        }

        for (var lane = 0; lane < names.Length; lane++)
        {
            Text(6, Y(lane) + 14, names[lane]);
        }

        foreach (var d in result.Happened.Where(d => d.Overlaps(from, to)))
        {
            var lane = Array.IndexOf(names, d.Worker);
            var title = $"{d.Kind} {(d.Worker ?? d.Loss?.Lock ?? "all")}, {d.From.TotalSeconds:F3}–{d.To.TotalSeconds:F3} s";
            Box(d.From, Later(d.To, d.From + TimeSpan.FromMilliseconds(30)), lane < 0 ? Top : Y(lane), lane < 0 ? names.Length * laneHeight : laneHeight - 4, lane < 0 ? "#f2b84b" : "#e58f8f", 0.35, title);
            Text(X(d.From) + 2, lane < 0 ? height - 24 : Y(lane) + laneHeight - 7, d.Kind.ToString());
        }

        foreach (var holding in run.Holdings.Where(holding => holding.Granted <= to && holding.End >= from))
        {
            var row = Array.IndexOf(locks, holding.Lock);
            var y = Y(Array.IndexOf(names, holding.Worker)) + (row * RowHeight);
            Box(holding.Granted, Later(holding.End, holding.Granted + TimeSpan.FromMilliseconds(2)), y + 2, RowHeight - 4, Colours[row % Colours.Length], 0.9, holding.ToString());
        }

        foreach (var gap in run.Gaps.Where(gap => gap.Length > TimeSpan.FromMilliseconds(50) && gap.From <= to && gap.To >= from))
        {
            Box(gap.From, gap.To, Y(Array.IndexOf(names, RunRecord.WorkerOf(gap.By))), laneHeight - 4, "#333333", 0.3, $"{gap.By} was not scheduled for {gap.Length.TotalMilliseconds:F0} ms");
        }

        foreach (var violation in result.Verdict.Violations.Where(violation => violation.At >= from && violation.At <= to))
        {
            Line(X(violation.At), "red", $"{violation.Check}: {violation.Text}");
        }

        for (var row = 0; row < locks.Length; row++)
        {
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<rect x="{Left + (row * 120)}" y="{height - 14}" width="10" height="10" fill="{Colours[row % Colours.Length]}"/>""");
            Text(Left + (row * 120) + 14, height - 5, locks[row]);
        }

        return svg.AppendLine("</svg>").ToString();

        double X(TimeSpan at) => Left + (Math.Clamp((at - from).TotalSeconds, 0, (to - from).TotalSeconds) * scale);

        double Y(int lane) => Top + (lane * laneHeight);

        void Box(TimeSpan begin, TimeSpan end, double y, double tall, string fill, double opacity, string title) => svg.AppendLine(
            CultureInfo.InvariantCulture,
            $"""<rect x="{X(begin):F1}" y="{y:F0}" width="{Math.Max(1, X(end) - X(begin)):F1}" height="{tall:F0}" fill="{fill}" fill-opacity="{opacity}"><title>{WebUtility.HtmlEncode(title)}</title></rect>""");

        void Line(double x, string colour, string title) => svg.AppendLine(
            CultureInfo.InvariantCulture,
            $"""<line x1="{x:F1}" x2="{x:F1}" y1="{Top - 4}" y2="{height - 34}" stroke="{colour}"><title>{WebUtility.HtmlEncode(title)}</title></line>""");

        void Text(double x, double y, string text) => svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{x:F1}" y="{y:F0}" fill="#333">{WebUtility.HtmlEncode(text)}</text>""");
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
