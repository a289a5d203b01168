using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Peers.Postgres;
using Coordination.Benchmarks.Servers;
using Medallion.Threading;

namespace Coordination.Benchmarks.Agents;

/// <summary>The other side of <see cref="Agent"/>. Ends with its standard input, and so with the process that started it.</summary>
internal sealed class AgentProgram(ILockPeer peer)
{
    /// <summary>The word on the command line that makes this program an agent.</summary>
    public const string Word = "agent";

    private const int AtOnce = 64;

    private readonly ConcurrentDictionary<string, IAsyncDisposable> _held = new();

    public static async Task<int> RunAsync(IReadOnlyList<string> words)
    {
        var (kind, lease) = (Enum.Parse<PeerKind>(words[1]), TimeSpan.FromMilliseconds(double.Parse(words[4])));
        var peer = PostgresPeer.Has(kind) ? PostgresPeer.Create(kind, words[2], lease) : Peer.Create(kind, await Connection.OpenAsync(words[2], words[3]), lease);
        var program = new AgentProgram(peer);
        while (await Console.In.ReadLineAsync() is { } line)
        {
            _ = program.ReplyAsync(line.Split(' '));
        }

        return 0;
    }

    private async Task ReplyAsync(string[] words)
    {
        try
        {
            Say(words[0], await DoAsync(words));
        }
        catch (Exception e)
        {
            // Whatever it is, the run cannot go on: the end of this process is the reply, and standard error has the reason.
            await Console.Error.WriteLineAsync($"{string.Join(' ', words)}: {e}");
            Environment.Exit(1);
        }
    }

    private async Task<string> DoAsync(string[] words)
    {
        switch (words[1])
        {
            case "hello":
                return "hello";
            case "take":
                var acquired = await peer.AcquireAsync(words[2]);
                var at = Stopwatch.GetTimestamp();
                _held[words[2]] = acquired;
                return $"{at}";
            case "share":
                var share = await peer.AcquireAsync(words[2], ShareText.Parse(words[3]));
                var sharedAt = Stopwatch.GetTimestamp();
                _held[words[2]] = share;
                return $"{sharedAt}";
            case "give":
                _held.TryRemove(words[2], out var given);
                var begun = Stopwatch.GetTimestamp();
                await given!.DisposeAsync();
                return $"{begun}";
            case "many":
                await Parallel.ForEachAsync(
                    Enumerable.Range(0, int.Parse(words[3])),
                    new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                    async (i, _) => _held[$"{words[2]}-{i}"] = await peer.AcquireAsync($"{words[2]}-{i}"));
                return "held";
            case "shares":
                await Parallel.ForEachAsync(
                    Enumerable.Range(0, int.Parse(words[4])),
                    new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                    async (i, _) => _held[$"{words[2]}-{i}"] = await peer.AcquireAsync($"{words[2]}-{i % int.Parse(words[5])}", ShareText.Parse(words[3])));
                return "held";
            case "lost":
                return $"{_held.Values.Count(IsLost)}";
            case "crowd":
                await Task.WhenAll(Enumerable.Range(0, int.Parse(words[3])).Select(i => TurnAsync(words[2], i, Enum.Parse<CrowdKind>(words[4]))));
                return "served";
            case "cpu":
                using (var self = Process.GetCurrentProcess())
                {
                    return $"{self.TotalProcessorTime.TotalMilliseconds}";
                }

            case "compiled":
                return $"{JitInfo.GetCompiledMethodCount()}";
            default:
                throw new ArgumentException($"An unknown request: {words[1]}.", nameof(words));
        }
    }

    private async Task TurnAsync(string name, int number, CrowdKind kind)
    {
        await using var turn = kind switch
        {
            CrowdKind.Apart => await peer.AcquireApartAsync(name),
            CrowdKind.Spread => await peer.AcquireAsync($"{name}-{number}"),
            _ => await peer.AcquireAsync(name),
        };
    }

    private static bool IsLost(IAsyncDisposable held) => held switch
    {
        ILease lease => lease.State == LeaseState.Lost,
        IDistributedSynchronizationHandle handle => handle.HandleLostToken.IsCancellationRequested,
        _ => throw new NotSupportedException($"A {held.GetType().Name} does not say whether it is lost."),
    };

    private static void Say(string number, string reply)
    {
        lock (Console.Out)
        {
            Console.Out.WriteLine($"{number} {reply}");
            Console.Out.Flush();
        }
    }
}
