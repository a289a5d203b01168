using Coordination.TestKit.Waiting;
using StackExchange.Redis;

namespace Coordination.TestKit.Servers;

/// <summary>Several redis-server processes that belong together.</summary>
public abstract class RedisTopology : IAsyncDisposable
{
    /// <summary>With RESP3, a text comes with its format before it.</summary>
    private const string PlainText = ",protocol=resp2";

    private readonly List<RedisProcess> _all = [];

    /// <summary>How long the processes may take to find one another.</summary>
    protected static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);

    /// <summary>As a user writes it.</summary>
    public abstract string ConnectionString { get; }

    public IReadOnlyList<RedisProcess> Masters { get; protected set; } = [];

    /// <summary>The first is the first master's, and so on.</summary>
    public IReadOnlyList<RedisProcess> Replicas { get; protected set; } = [];

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Task.WhenAll(_all.Select(process => process.DisposeAsync().AsTask()));
    }

    /// <summary>Asks a process as an operator does, over a connection for this one question.</summary>
    public static async Task<RedisResult> AskAsync(RedisProcess process, string command, params object[] arguments)
    {
        await using var connection = await process.ConnectAsOperatorAsync(PlainText);
        return await connection.GetServer(process.ConnectionString).ExecuteAsync(command, arguments);
    }

    /// <summary>Waits until the processes have found one another.</summary>
    protected static async Task SayAsync(IEnumerable<RedisProcess> processes, string question, params string[] expected)
    {
        var words = question.Split(' ');
        foreach (var process in processes)
        {
            await using var connection = await process.ConnectAsOperatorAsync(PlainText);
            var server = connection.GetServer(process.ConnectionString);
            await Eventually.IsTrueAsync(
                async () =>
                {
                    var lines = ((string)(await server.ExecuteAsync(words[0], [.. words.Skip(1)]))!).Split('\n', StringSplitOptions.TrimEntries);
                    return expected.All(lines.Contains);
                },
                Patience,
                $"{process.ConnectionString} replies to {question} with {string.Join(", ", expected)}");
        }
    }

    protected async Task<RedisProcess> StartAsync(Func<RedisProcess, string[]> arguments)
    {
        var process = await RedisProcess.StartAsync(arguments);
        _all.Add(process);
        return process;
    }
}
