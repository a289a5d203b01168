using System.Text;
using Coordination.Benchmarks.Rows;

namespace Coordination.Benchmarks.CommandLine;

internal static class Help
{
    public static string Text
    {
        get
        {
            var text = new StringBuilder("""
                Measures this library beside DistributedLock and RedLock.net, on one server and in one run.

                  dotnet run -c Release --project tests/Coordination.Benchmarks -- ROW… [--redis HOST:PORT] [--out FILE]

                  all           every row below that is not marked, in about seven minutes
                  postgres      every row that begins with pg-, which start a PostgreSQL server of their own, in about twenty minutes

                """);
            text.AppendLine();
            foreach (var row in Catalogue.All)
            {
                text.Append("  ").Append(row.Name.PadRight(14)).Append(row.Summary).AppendLine(Catalogue.InAll.Contains(row) ? string.Empty : " (not in all)");
            }

            return text.Append("""

                  --redis       a server to use, which is written to and not emptied; without it redis-server is started on a free port and
                                ended with the run
                  --out         the Markdown file; artifacts/benchmarks.md in the working directory by default

                The exit code is 0 when everything was measured, whether or not a target is reached, and 1 when something broke.
                """).ToString();
        }
    }
}
