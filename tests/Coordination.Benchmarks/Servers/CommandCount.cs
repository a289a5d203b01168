namespace Coordination.Benchmarks.Servers;

/// <summary>The commands that one client sent, as the server saw them.</summary>
internal sealed class CommandCount
{
    private readonly Dictionary<string, int> _byCommand = [];

    public int Total => _byCommand.Values.Sum();

    public void Add(string command, int count)
    {
        _byCommand.TryGetValue(command, out var before);
        _byCommand[command] = before + count;
    }

    public void Add(CommandCount other)
    {
        foreach (var (command, count) in other._byCommand)
        {
            Add(command, count);
        }
    }

    /// <summary>The commands, the most frequent first.</summary>
    public override string ToString() =>
        Total == 0 ? "none" : string.Join(", ", _byCommand.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value} {pair.Key}"));
}
