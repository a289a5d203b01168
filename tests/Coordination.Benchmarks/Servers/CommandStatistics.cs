using StackExchange.Redis;

namespace Coordination.Benchmarks.Servers;

/// <summary>How many commands of each kind a server has done, of all clients, by its INFO commandstats.</summary>
internal sealed class CommandStatistics
{
    /// <summary>What asks for them.</summary>
    private const string Own = "info";

    private readonly Dictionary<string, long> _calls;

    private CommandStatistics(Dictionary<string, long> calls) => _calls = calls;

    public static async Task<CommandStatistics> ReadAsync(IServer server) => new(
        (await server.InfoAsync("commandstats")).SelectMany(group => group)
            .ToDictionary(line => line.Key["cmdstat_".Length..], line => long.Parse(line.Value.Split(',')[0]["calls=".Length..])));

    /// <summary>What was done since, in sum and by command.</summary>
    public string PerSecondSince(CommandStatistics before, TimeSpan window)
    {
        var counts = _calls.Where(pair => pair.Key != Own)
            .Select(pair => (pair.Key, PerSecond: (pair.Value - before._calls.GetValueOrDefault(pair.Key)) / window.TotalSeconds))
            .Where(pair => pair.PerSecond >= 0.05).OrderByDescending(pair => pair.PerSecond).ToList();
        return $"{counts.Sum(pair => pair.PerSecond):F1} ({string.Join(", ", counts.Select(pair => $"{pair.PerSecond:F1} {pair.Key}"))})";
    }
}
