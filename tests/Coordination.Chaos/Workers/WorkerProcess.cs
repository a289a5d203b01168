using System.Diagnostics;
using System.Text.Json;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Processes;

namespace Coordination.Chaos.Workers;

/// <summary>A worker process, as its starter sees it.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A process that starts compiles what it runs: on a machine with twenty times the load that it has cores for, for longer than twenty seconds. Nothing is judged until all are ready.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly List<string> _said = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WorkerProcess(WorkerOptions options, Process process, ProcessClock? clock)
    {
        Clock = clock;
        Options = options;
        _process = process;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public WorkerOptions Options { get; }

    /// <summary>Its clocks; null where they are the machine's.</summary>
    public ProcessClock? Clock { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>What it said that nobody expected.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said);
            }
        }
    }

    public static async Task<WorkerProcess> StartAsync(ProcessClock? clock, WorkerOptions options)
    {
        var start = ThisProgram.Again(WorkerProgram.Word, JsonSerializer.Serialize(options));
        start.RedirectStandardError = true;
        clock?.AddTo(start);
        var worker = new WorkerProcess(options, Process.Start(start)!, clock);
        try
        {
            await worker._ready.Task.WaitAsync(StartLimit);
            return worker;
        }
        catch (TimeoutException)
        {
            var said = worker.Said;
            await worker.DisposeAsync();
            throw new TimeoutException($"The worker {options.Process} was not ready within {StartLimit.TotalSeconds:F0} s. {(said.Length > 0 ? $"It said: {said}" : "It said nothing.")}");
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    public void Tell(string line)
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
    }

    public void Stop() => Signal(ProcessSignal.Stop);

    public void Continue() => Signal(ProcessSignal.Continue);

    /// <summary>Whether it is stopped by a signal at this moment.</summary>
    public bool IsStopped()
    {
        try
        {
            // The name, which stands in brackets, may have any character in it.
            return File.ReadAllText($"/proc/{_process.Id}/stat").Split(')')[^1].TrimStart()[0] == 'T';
        }
        catch (IOException)
        {
            // It is gone.
            return false;
        }
    }

    /// <summary>When it was killed; null when it was not.</summary>
    public TimeSpan? KilledAt { get; private set; }

    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();

            // It runs no more code. That it is gone may be seen later, on a busy machine by a tenth of a second.
            KilledAt ??= MachineClock.Now;
        }

        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>Asks it to end, and waits until it has.</summary>
    /// <returns>False when it did not, and was killed.</returns>
    public async Task<bool> TerminateAsync()
    {
        Signal(ProcessSignal.Terminate);

        // It may be stopped, and would not hear of it.
        Continue();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
            return _process.ExitCode == 0;
        }
        catch (TimeoutException)
        {
            await KillAsync();
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        Clock?.Dispose();
    }

    private void Signal(Action<int> send)
    {
        if (!_process.HasExited)
        {
            send(_process.Id);
        }
    }

    private void Hear(string? line)
    {
        if (line == "ready")
        {
            _ready.TrySetResult();
        }
        else if (line is null)
        {
            _ready.TrySetException(new InvalidOperationException($"The worker {Options.Process} ended before it was ready: {Said}"));
        }
        else
        {
            lock (_said)
            {
                _said.Add(line);
            }
        }
    }
}
