using System.Diagnostics;
using SampleKit.Processes;
using SampleKit.Timeline;
using WorkerReplicas.CommandLine;
using WorkerReplicas.Replica;

namespace WorkerReplicas.Orchestration;

/// <summary>A replica in a process of its own: this same program, with other words on its command line.</summary>
internal sealed class ReplicaProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(8);

    private readonly TaskCompletionSource _standsBy = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;
    private readonly Task _output;
    private PauseGuard? _pause;

    private ReplicaProcess(string name, Process process, Chronicle timeline)
    {
        Name = name;
        _process = process;
        _output = Task.WhenAll(ForwardAsync(process.StandardOutput, timeline), ForwardAsync(process.StandardError, timeline));
    }

    public string Name { get; }

    public int Id => _process.Id;

    /// <summary>Completes when the replica stands by for the first time.</summary>
    public Task StandsBy => _standsBy.Task;

    public static ReplicaProcess Start(ReplicaOptions options, Chronicle timeline)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ReplicaProcess).Assembly.Location);
        }

        foreach (var argument in options.ToArguments())
        {
            start.ArgumentList.Add(argument);
        }

        // Its own server, whatever this process was told by its environment.
        start.Environment.Remove(StoreAddress.RedisVariable);
        start.Environment.Remove(StoreAddress.PostgresVariable);
        start.Environment[options.Store.Variable] = options.Store.ConnectionString;
        return new ReplicaProcess(options.Name, Process.Start(start)!, timeline);
    }

    /// <summary>Ends it with no chance to say anything: SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks it to stop in good order: SIGTERM, or, where there are no signals, the end of its standard input.</summary>
    public void Terminate()
    {
        if (ProcessSignal.IsSupported)
        {
            ProcessSignal.Terminate(Id);
        }
        else
        {
            _process.StandardInput.Close();
        }
    }

    /// <summary>Asks it to let another replica lead.</summary>
    public async Task AskToStepDownAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(StandardInputWatch.StepDown.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
    }

    /// <summary>Takes the processor away from it: SIGSTOP.</summary>
    public void Pause()
    {
        _pause = new PauseGuard(Id);
        ProcessSignal.Stop(Id);
    }

    /// <summary>Lets the process run on: SIGCONT.</summary>
    public void Resume()
    {
        ProcessSignal.Continue(Id);
        _pause?.Dispose();
        _pause = null;
    }

    /// <summary>Waits until the process has ended and its last word was told.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _output.WaitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Ends it: in good order if it follows in time.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_pause is not null)
        {
            Resume();
        }

        if (!_process.HasExited)
        {
            // Its end stops the replica as SIGTERM does.
            _process.StandardInput.Close();
            using var limit = new CancellationTokenSource(StopTimeout);
            try
            {
                await WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        _process.Dispose();
    }

    private async Task ForwardAsync(StreamReader reader, Chronicle timeline)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            timeline.Tell(Name, line, Tone.Faint);
            if (line == StandbyNotice.Text)
            {
                _standsBy.TrySetResult();
            }
        }
    }
}
