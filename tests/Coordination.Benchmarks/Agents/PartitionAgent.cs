using System.Diagnostics;
using Coordination.TestKit.Processes;

namespace Coordination.Benchmarks.Agents;

/// <summary>A node of a partitioned service in a process of its own: this same program, which says what its work does.</summary>
internal sealed class PartitionAgent : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<Tenure> _all = [];
    private readonly Dictionary<string, Tenure> _running = [];
    private readonly TaskCompletionSource<long> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PartitionAgent(Process process)
    {
        _process = process;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.BeginOutputReadLine();
    }

    /// <summary>When the host of the process had started.</summary>
    public Task<long> Started => _started.Task.WaitAsync(Limit);

    /// <summary>How many partitions its work runs for.</summary>
    public int Running
    {
        get
        {
            lock (_gate)
            {
                return _running.Count;
            }
        }
    }

    public IReadOnlyList<Tenure> Tenures
    {
        get
        {
            lock (_gate)
            {
                return [.. _all];
            }
        }
    }

    public static PartitionAgent Start(string address, string clientName, TimeSpan lease, int partitions) =>
        new(Process.Start(ThisProgram.Again(PartitionProgram.Word, address, clientName, $"{lease.TotalMilliseconds}", $"{partitions}"))!);

    /// <summary>Ends it with no chance to say anything: SIGKILL.</summary>
    /// <returns>The moment before it.</returns>
    public async Task<long> KillAsync()
    {
        var before = Stopwatch.GetTimestamp();
        _process.Kill();
        await _process.WaitForExitAsync();
        var dead = Stopwatch.GetTimestamp();
        await _ended.Task.WaitAsync(Limit);
        lock (_gate)
        {
            foreach (var tenure in _running.Values)
            {
                tenure.End = dead;
            }

            _running.Clear();
        }

        return before;
    }

    /// <summary>Has its host stop, and waits until the process has ended.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Limit);
        await _ended.Task.WaitAsync(Limit);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            _ended.TrySetResult();
            _started.TrySetException(new InvalidOperationException("A node ended before its host had started."));
            _ = _started.Task.Exception;
            return;
        }

        var words = line.Split(' ');
        lock (_gate)
        {
            switch (words[0])
            {
                case PartitionProgram.StartedWord:
                    _started.TrySetResult(long.Parse(words[1]));
                    break;
                case PartitionProgram.BeginWord:
                    var tenure = new Tenure(words[1], long.Parse(words[2]), long.Parse(words[3]));
                    _all.Add(tenure);
                    _running.Add(tenure.Partition, tenure);
                    break;
                case PartitionProgram.EndWord:
                    _running.Remove(words[1], out var ended);
                    ended!.End = long.Parse(words[3]);
                    break;
            }
        }
    }
}
