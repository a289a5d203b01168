using System.Globalization;
using System.Text;
using Coordination.TestKit.Needs;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Reports;

/// <summary>The table, and what it was measured on.</summary>
internal static class Report
{
    public static string Of(IReadOnlyList<Line> lines, IServer server, TimeSpan took, string loadBefore)
    {
        var text = new StringBuilder("# Benchmarks\n\n");
        text.Append(Table.Of(lines));
        text.Append(CultureInfo.InvariantCulture, $"""

            Measured in {took.TotalSeconds:F0} s with {Environment.ProcessorCount} cores, .NET {Environment.Version}, Redis {server.Version}, DistributedLock.Redis 1.1.1 and
            RedLock.net 2.3.2 (waiters ask after 100 ms) with the same connection settings. PostgreSQL's rows: {PostgreSql}, with its defaults,
            and DistributedLock.Postgres 1.3.1. Medians over rounds in alternating order. Load
            average {loadBefore} before and {Load} after.

            """);
        return text.ToString();
    }

    private static string PostgreSql => PostgreSqlPrograms.Folder is { } folder ? $"PostgreSQL of {folder}" : "no PostgreSQL";

    public static string Load => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}
