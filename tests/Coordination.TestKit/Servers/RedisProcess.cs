using System.Collections.Concurrent;
using System.Diagnostics;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Needs;
using Coordination.TestKit.Processes;
using StackExchange.Redis;

namespace Coordination.TestKit.Servers;

/// <summary>A redis-server of its own, as a server or as a sentinel: a process, a folder, a port on 127.0.0.1.</summary>
public sealed class RedisProcess : IAsyncDisposable
{
    /// <summary>A server's last line on starting, one that loads data first, and a sentinel's.</summary>
    private static readonly string[] SignsOfLife = ["eady to accept connections", "Loading RDB", "+monitor master"];

    private readonly Func<RedisProcess, string[]> _arguments;
    private readonly ProcessClock? _clock;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-redis-");
    private Process? _process;

    private RedisProcess(int port, Func<RedisProcess, string[]> arguments, ProcessClock? clock)
    {
        Port = port;
        _arguments = arguments;
        _clock = clock;
    }

    public int Port { get; }

    public int ProcessId => _process!.Id;

    public string Folder => _folder.FullName;

    public string ConnectionString => FreePort.Local(Port);

    /// <summary>Starts a server.</summary>
    /// <param name="settings">As in redis.conf, each with two dashes before it.</param>
    public static Task<RedisProcess> StartAsync(params string[] settings) =>
        StartAsync(server => ["--port", $"{server.Port}", .. settings]);

    /// <summary>Starts a server whose clock can be set.</summary>
    /// <param name="clock">Its clock, which is to outlive it.</param>
    /// <param name="settings">As in redis.conf, each with two dashes before it.</param>
    public static Task<RedisProcess> StartAsync(ProcessClock clock, params string[] settings) =>
        StartAsync(server => ["--port", $"{server.Port}", .. settings], clock);

    /// <summary>Starts a server in Cluster mode.</summary>
    /// <param name="settings">As in redis.conf, each with two dashes before it.</param>
    public static Task<RedisProcess> StartInClusterModeAsync(params string[] settings)
    {
        // Its other port would be 10,000 above the first, among those for outgoing connections: one of them may have it.
        var busPort = FreePort.Take();
        return StartAsync(["--cluster-enabled", "yes", "--cluster-port", $"{busPort}", .. settings]);
    }

    /// <summary>Starts a server whose command line depends on its folder, or has the port elsewhere.</summary>
    public static async Task<RedisProcess> StartAsync(Func<RedisProcess, string[]> arguments, ProcessClock? clock = null)
    {
        Requirement.Demand(Need.RedisServer);
        var server = new RedisProcess(FreePort.Take(), arguments, clock);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task StartAgainAsync(params string[] more)
    {
        var start = new ProcessStartInfo(ProgramPath.Find("redis-server")!)
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])[.. _arguments(this), "--bind", "127.0.0.1", "--save", "", "--dir", Folder, .. more])
        {
            start.ArgumentList.Add(argument);
        }

        _clock?.AddTo(start);
        _process = Process.Start(start)!;
        var said = new ConcurrentQueue<string>();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException($"redis-server on port {Port} ended: {string.Join('\n', said)}"));
            }
            else if (SignsOfLife.Any(sign => line.Data.Contains(sign, StringComparison.Ordinal)))
            {
                ready.TrySetResult();
            }
            else
            {
                said.Enqueue(line.Data);
            }
        };
        _process.ErrorDataReceived += (_, line) => said.Enqueue(line.Data ?? string.Empty);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await ready.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    /// <summary>Dies as in a crash.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Hangs: connections stay open, and nothing replies.</summary>
    public void Pause() => ProcessSignal.Stop(_process!.Id);

    public void Resume() => ProcessSignal.Continue(_process!.Id);

    /// <summary>A connection for what an operator does.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsOperatorAsync(string more = "") =>
        await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true,connectTimeout=5000{more}");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        _folder.Delete(recursive: true);
    }
}
