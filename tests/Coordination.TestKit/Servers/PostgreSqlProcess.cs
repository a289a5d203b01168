using System.Diagnostics;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Needs;
using Coordination.TestKit.Processes;

namespace Coordination.TestKit.Servers;

/// <summary>A PostgreSQL server of its own: a process, a folder, a port on 127.0.0.1. It refuses to run as root, so there it is the user <c>nobody</c>.</summary>
public sealed class PostgreSqlProcess : IAsyncDisposable
{
    private const string User = "nobody";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-postgresql-");
    private readonly string[] _settings;
    private readonly ProcessClock? _clock;
    private Process? _process;

    private PostgreSqlProcess(int port, string[] settings, ProcessClock? clock) => (Port, _settings, _clock) = (port, settings, clock);

    public int Port { get; }

    public int ProcessId => _process!.Id;

    public string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>How its owner connects, who may do everything.</summary>
    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres";

    private static bool IsRoot => !OperatingSystem.IsWindows() && Environment.UserName == "root";

    /// <summary>Starts a server.</summary>
    /// <param name="settings">As in postgresql.conf: <c>max_connections=200</c>.</param>
    public static Task<PostgreSqlProcess> StartAsync(params string[] settings) => StartAsync(clock: null, settings);

    /// <summary>Starts a server whose clock can be set.</summary>
    /// <param name="clock">Its clock, which is to outlive it; null for that of this machine.</param>
    /// <param name="settings">As in postgresql.conf: <c>max_connections=200</c>.</param>
    public static async Task<PostgreSqlProcess> StartAsync(ProcessClock? clock, params string[] settings)
    {
        Requirement.Demand(Need.PostgreSql);
        var server = new PostgreSqlProcess(FreePort.Take(), settings, clock);
        try
        {
            if (IsRoot)
            {
                await RunAsync("chown", User, server._folder.FullName);
            }

            await RunAsUserAsync("initdb", "--pgdata", server.Data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync");
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it where it has ended.</summary>
    public async Task StartAgainAsync()
    {
        var (program, arguments) = AsUser("postgres", ["-D", Data, "-p", $"{Port}", "-k", "", "-c", "listen_addresses=127.0.0.1", .. _settings.SelectMany(static setting => (string[])["-c", setting])]);
        var start = new ProcessStartInfo(program) { WorkingDirectory = _folder.FullName, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _clock?.AddTo(start);
        _process = Process.Start(start)!;
        var said = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException($"postgres on port {Port} ended: {string.Join('\n', said)}"));
            }
            else
            {
                said.Enqueue(line.Data);
                if (line.Data.Contains("ready to accept", StringComparison.Ordinal))
                {
                    ready.TrySetResult();
                }
            }
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await ready.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);
    }

    /// <summary>Ends at once, as <c>pg_ctl stop -m immediate</c>: no session is told, and the next start recovers.</summary>
    public async Task KillAsync()
    {
        ProcessSignal.Quit(_process!.Id);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        _folder.Delete(recursive: true);
    }

    private static async Task RunAsUserAsync(string program, params string[] arguments)
    {
        var (whole, all) = AsUser(program, arguments);
        await RunAsync(whole, all);
    }

    private static (string Program, string[] Arguments) AsUser(string program, string[] arguments)
    {
        var path = Path.Combine(PostgreSqlPrograms.Folder!, program);
        return IsRoot ? ("setpriv", ["--reuid", User, "--regid", "nogroup", "--clear-groups", path, .. arguments]) : (path, arguments);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()).WaitAsync(Limit);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {said[0]}{said[1]}");
        }
    }
}
