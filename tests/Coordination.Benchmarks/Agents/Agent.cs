using System.Collections.Concurrent;
using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.TestKit.Processes;

namespace Coordination.Benchmarks.Agents;

/// <summary>A library in a process of its own: this same program, told by its standard input what to do.</summary>
internal sealed class Agent : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<string>> _asked = new();
    private int _lastNumber;
    private int _isDisposed;

    private Agent(Process process)
    {
        _process = process;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.BeginOutputReadLine();
    }

    public static async Task<Agent> StartAsync(PeerKind kind, string address, string clientName, TimeSpan lease)
    {
        var start = ThisProgram.Again(AgentProgram.Word, kind.ToString(), address, clientName, $"{lease.TotalMilliseconds}");
        var agent = new Agent(Process.Start(start)!);
        await agent.AskAsync("hello");
        return agent;
    }

    /// <summary>Takes a lock and keeps it.</summary>
    /// <returns>The moment at which its code had the lock, by <see cref="Stopwatch.GetTimestamp"/>: one clock for all processes of a machine.</returns>
    public async Task<long> TakeAsync(string name) => long.Parse(await AskAsync($"take {name}"));

    /// <summary>Releases a lock.</summary>
    /// <returns>The moment before it was sent.</returns>
    public async Task<long> GiveAsync(string name) => long.Parse(await AskAsync($"give {name}"));

    /// <summary>Takes many locks and keeps them.</summary>
    public Task TakeManyAsync(string prefix, int count) => AskAsync($"many {prefix} {count}");

    /// <summary>As <see cref="TakeAsync(string)"/>, of a lock that several may hold at a time. <see cref="GiveAsync"/> releases it.</summary>
    public async Task<long> TakeAsync(string name, LockShare share) => long.Parse(await AskAsync($"share {name} {ShareText.Of(share)}"));

    /// <summary>Takes many shares and keeps them, dealt out over some locks that are called by the prefix and a number.</summary>
    public Task TakeManyAsync(string prefix, LockShare share, int count, int locks) => AskAsync($"shares {prefix} {ShareText.Of(share)} {count} {locks}");

    /// <summary>How many of the locks that it keeps the library knows to be lost.</summary>
    public async Task<int> LostAsync() => int.Parse(await AskAsync("lost"));

    /// <summary>Lets many wait, each of which releases at once what it gets; completes when all have had their turn.</summary>
    public Task CrowdAsync(string name, int count, CrowdKind kind) => AskAsync($"crowd {name} {count} {kind}");

    /// <summary>How much CPU time the process has used.</summary>
    public async Task<TimeSpan> CpuAsync() => TimeSpan.FromMilliseconds(double.Parse(await AskAsync("cpu")));

    /// <summary>How many methods the runtime has compiled by now, anew ones as well: while it does, that is most of what the process uses.</summary>
    public async Task<long> CompiledAsync() => long.Parse(await AskAsync("compiled"));

    /// <summary>Ends it with no chance to say anything: SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private async Task<string> AskAsync(string request)
    {
        var number = Interlocked.Increment(ref _lastNumber);
        var reply = _asked.GetOrAdd(number, _ => new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_process)
        {
            _process.StandardInput.WriteLine($"{number} {request}");
            _process.StandardInput.Flush();
        }

        return await reply.Task.WaitAsync(Limit);
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            foreach (var asked in _asked.Values)
            {
                asked.TrySetException(new InvalidOperationException("An agent ended before it replied."));
                // Seen, for those that nobody waits for any more.
                _ = asked.Task.Exception;
            }

            return;
        }

        var words = line.Split(' ', 2);
        if (int.TryParse(words[0], out var number) && _asked.TryRemove(number, out var reply))
        {
            reply.TrySetResult(words[1]);
        }
    }
}
