using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using FlashSale.CommandLine;
using SampleKit.Processes;
using SampleKit.Timeline;

namespace FlashSale.Workers;

/// <summary>A worker in a process of its own: this same program, with other words on its command line.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Task _output;
    private PauseGuard? _pause;

    private WorkerProcess(string name, Process process, ChannelWriter<(WorkerProcess, WorkerMessage)> inbox, Chronicle timeline)
    {
        Name = name;
        _process = process;
        _output = Task.WhenAll(ListenAsync(inbox), ForwardLogAsync(timeline));
    }

    public string Name { get; }

    public int Id => _process.Id;

    public static WorkerProcess Start(string name, ServerAddresses servers, ChannelWriter<(WorkerProcess, WorkerMessage)> inbox, Chronicle timeline)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        }

        start.ArgumentList.Add(WorkerHost.Command);
        start.ArgumentList.Add(name);
        start.ArgumentList.Add(servers.Schema);
        start.Environment[SaleOptions.RedisVariable] = servers.Redis;
        start.Environment.Remove(SaleOptions.PostgresVariable);
        if (servers.Postgres is { } postgres)
        {
            start.Environment[SaleOptions.PostgresVariable] = postgres;
        }

        return new WorkerProcess(name, Process.Start(start)!, inbox, timeline);
    }

    public void Tell(WorkerCommand command)
    {
        _process.StandardInput.WriteLine(JsonSerializer.Serialize(command));
        _process.StandardInput.Flush();
    }

    /// <summary>Takes the processor away from it: SIGSTOP.</summary>
    public void Pause()
    {
        _pause = new PauseGuard(Id);
        ProcessSignal.Stop(Id);
    }

    /// <summary>Lets the process run on: SIGCONT. Does nothing when it is not paused.</summary>
    public void Resume()
    {
        if (_pause is { } pause)
        {
            _pause = null;
            ProcessSignal.Continue(Id);
            pause.Dispose();
        }
    }

    /// <summary>Ends it: in good order if it follows in time.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Resume();

            // Its end is what the worker ends with.
            _process.StandardInput.Close();
            using var limit = new CancellationTokenSource(StopTimeout);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        await _output.WaitAsync(StopTimeout);
        _process.Dispose();
    }

    private async Task ListenAsync(ChannelWriter<(WorkerProcess, WorkerMessage)> inbox)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            inbox.TryWrite((this, JsonSerializer.Deserialize<WorkerMessage>(line)!));
        }

        inbox.TryWrite((this, new Failed("its process has ended")));
    }

    private async Task ForwardLogAsync(Chronicle timeline)
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            timeline.Tell(Name, line, Tone.Faint);
        }
    }
}
