using Coordination.Benchmarks.Rows;
using Coordination.TestKit.CommandLine;

namespace Coordination.Benchmarks.CommandLine;

/// <summary>What to measure, where, and where to write it down.</summary>
/// <param name="Rows">In the order in which they run.</param>
/// <param name="Redis">A server to use, as host:port; null to start one.</param>
/// <param name="Out">The Markdown file.</param>
internal sealed record Arguments(IReadOnlyList<IRow> Rows, string? Redis, string Out)
{
    public static Arguments Parse(IReadOnlyList<string> words)
    {
        var rows = new List<IRow>();
        string? redis = null;
        var file = Path.Combine("artifacts", "benchmarks.md");
        for (var i = 0; i < words.Count; i++)
        {
            switch (words[i])
            {
                case "--redis":
                    redis = ValueAfter(words, ref i);
                    break;
                case "--out":
                    file = ValueAfter(words, ref i);
                    break;
                case "all":
                    rows.AddRange(Catalogue.InAll);
                    break;
                case "postgres":
                    rows.AddRange(Catalogue.InPostgres);
                    break;
                default:
                    rows.Add(Catalogue.Find(words[i]) ?? throw new UsageException($"There is no row or option '{words[i]}'."));
                    break;
            }
        }

        return rows.Count == 0 ? throw new UsageException("Name a row, or all, or postgres.") : new Arguments(rows, redis, file);
    }

    private static string ValueAfter(IReadOnlyList<string> words, ref int i) =>
        ++i < words.Count ? words[i] : throw new UsageException($"{words[i - 1]} needs a value.");
}
