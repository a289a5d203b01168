using System.Text.Json;
using System.Text.Json.Serialization;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.History;

/// <summary>
/// The history of one process, a line of JSON for each event. Each is handed to the system at once, which keeps it when the process is killed.
/// </summary>
internal sealed class HistoryFile(string path, string by) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    private readonly Lock _gate = new();
    private readonly FileStream _file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);

    public void Write(EventKind kind, string? lockName = null, long attempt = 0, long? token = null, string? detail = null) =>
        Write(new HistoryEvent(MachineClock.Now, by, kind, lockName, attempt, token, Detail: detail));

    /// <summary>Writes of a wait or a grant of what has a share.</summary>
    public void Write(EventKind kind, string lockName, long attempt, LockShareKind? share, long reader, long? token = null, int? permit = null) =>
        Write(new HistoryEvent(MachineClock.Now, by, kind, lockName, attempt, token, share, permit, reader));

    /// <summary>Writes of the end of a belief.</summary>
    public void WriteEnd(EventKind kind, string lockName, long attempt, TimeSpan silence, LeaseLossReason? reason = null, string? successor = null) =>
        Write(new HistoryEvent(MachineClock.Now, by, kind, lockName, attempt, Successor: successor, Reason: reason, Length: silence));

    public void Write(HistoryEvent happened)
    {
        var line = Line(happened);
        lock (_gate)
        {
            _file.Write(line);
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>An event as it is written.</summary>
    public static byte[] Line(HistoryEvent happened) => [.. JsonSerializer.SerializeToUtf8Bytes(happened, Json), (byte)'\n'];

    /// <summary>Reads what all processes of a run wrote down, in the order of time.</summary>
    public static IReadOnlyList<HistoryEvent> ReadAll(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.jsonl").SelectMany(Read).OrderBy(happened => happened.At)];

    private static IEnumerable<HistoryEvent> Read(string path)
    {
        var text = File.ReadAllText(path);

        // A line with no end was cut short by the death of its process.
        var end = text.LastIndexOf('\n');
        return end < 0 ? [] : text[..end].Split('\n').Select(line => JsonSerializer.Deserialize<HistoryEvent>(line, Json)!);
    }
}
