using System.Globalization;

namespace Coordination.TestKit.Needs;

/// <summary>Where the programs of a PostgreSQL server are. Debian keeps them out of PATH, one folder for each version.</summary>
public static class PostgreSqlPrograms
{
    private const string Debian = "/usr/lib/postgresql";

    /// <summary>The folder with <c>initdb</c> and <c>postgres</c>, of the newest version there is; null where there is none.</summary>
    public static string? Folder { get; } = Find();

    private static string? Find()
    {
        if (ProgramPath.Find("initdb") is { } onPath)
        {
            return Path.GetDirectoryName(onPath);
        }

        return !Directory.Exists(Debian) ? null : Directory.GetDirectories(Debian)
            .OrderByDescending(static folder => double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(static folder => Path.Combine(folder, "bin"))
            .FirstOrDefault(static folder => File.Exists(Path.Combine(folder, "initdb")));
    }
}
