using System.ComponentModel;
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

    private const string Ready = "ready to accept";

    private static readonly Lazy<Task<string>> Template = new(MakeTemplateAsync);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-postgresql-");
    private readonly string[] _settings;
    private readonly ProcessClock? _clock;
    private Process? _process;
    private bool _hasDisk;
    private List<int> _suspended = [];

    private PostgreSqlProcess(int port, string[] settings, ProcessClock? clock) => (Port, _settings, _clock) = (port, settings, clock);

    /// <summary>Whether this process may mount a disk of a size that it chooses.</summary>
    public static bool MayMount => IsRoot && OperatingSystem.IsLinux();

    /// <summary>Whether it is up.</summary>
    public bool IsUp => _process is { HasExited: false };

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
            await TakeAsync(server._folder);
            await RunAsUserAsync("cp", "--archive", await Template.Value, server.Data);
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a server whose data and journal are on a disk of their own, of which little is free. Where <see cref="MayMount"/> says so.</summary>
    /// <param name="megabytes">The size of the disk; a new server takes about 50.</param>
    /// <param name="settings">As in postgresql.conf.</param>
    public static async Task<PostgreSqlProcess> StartOnSmallDiskAsync(int megabytes, params string[] settings)
    {
        Requirement.Demand(Need.PostgreSql);
        var server = new PostgreSqlProcess(FreePort.Take(), settings, clock: null);
        try
        {
            await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", server._folder.FullName);
            server._hasDisk = true;
            await RunAsync("chown", User, server._folder.FullName);
            await InitializeAsync(server.Data, "--wal-segsize", "1");
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a standby of this server, with all that it has.</summary>
    /// <param name="name">Its name, which <c>synchronous_standby_names</c> of this server may have.</param>
    /// <param name="by">The port by which it gets to this server.</param>
    /// <param name="settings">As in postgresql.conf.</param>
    public async Task<PostgreSqlProcess> StartStandbyAsync(string name, int by, params string[] settings)
    {
        var standby = new PostgreSqlProcess(FreePort.Take(), [.. settings, $"primary_conninfo=host=127.0.0.1 port={by} user=postgres application_name={name}"], clock: null);
        try
        {
            await TakeAsync(standby._folder);
            await RunAsUserAsync("pg_basebackup", "--pgdata", standby.Data, "--host", "127.0.0.1", "--port", $"{Port}", "--username", "postgres", "--checkpoint", "fast", "--wal-method", "stream", "--no-sync");
            await RunAsUserAsync("touch", Path.Combine(standby.Data, "standby.signal"));
            await standby.StartAgainAsync();
            return standby;
        }
        catch
        {
            await standby.DisposeAsync();
            throw;
        }
    }

    /// <summary>As by <c>pg_ctl promote</c>: a standby is the primary when this returns.</summary>
    public Task PromoteAsync() => RunAsUserAsync("pg_ctl", "promote", "--pgdata", Data, "--wait", "--timeout", "60");

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
                if (line.Data.Contains(Ready, StringComparison.Ordinal))
                {
                    ready.TrySetResult();
                }
            }
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await ready.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);
    }

    /// <summary>By <c>pg_ctl stop -m immediate</c>.</summary>
    public async Task StopImmediatelyAsync()
    {
        await RunAsUserAsync("pg_ctl", "stop", "--pgdata", Data, "--mode", "immediate", "--wait", "--timeout", "60");
        await ForgetAsync();
    }

    /// <summary>All its processes die at once, as when its machine does.</summary>
    public async Task CrashAsync()
    {
        var postmaster = _process!.Id;
        ProcessSignal.Stop(postmaster);
        foreach (var child in ChildrenOf(postmaster))
        {
            ProcessSignal.Kill(child);
        }

        _process.Kill();
        await ForgetAsync();
    }

    /// <summary>Stops all its processes where they are: the machine goes on to accept connections for it, and nothing comes from them. <see cref="Resume"/> lets them go on.</summary>
    public void Suspend()
    {
        _suspended = [ProcessId, .. ChildrenOf(ProcessId)];
        _suspended.ForEach(ProcessSignal.Stop);
    }

    /// <summary>Lets its processes go on; nothing for one that was not suspended.</summary>
    public void Resume()
    {
        _suspended.ForEach(ProcessSignal.Continue);
        _suspended = [];
    }

    /// <summary>Ends at once, as <c>pg_ctl stop -m immediate</c>: no session is told, and the next start recovers.</summary>
    public async Task KillAsync()
    {
        try
        {
            if (IsUp)
            {
                ProcessSignal.Quit(_process!.Id);
            }
        }
        catch (Win32Exception)
        {
            // It has ended by itself in that moment.
        }

        await ForgetAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Resume();
        if (_process is not null)
        {
            await KillAsync();
        }

        if (_hasDisk)
        {
            // With all that is on it.
            await RunAsync("umount", _folder.FullName);
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>Makes what each server begins with, once: that takes a second of a processor, and a copy none.</summary>
    private static async Task<string> MakeTemplateAsync()
    {
        var folder = Directory.CreateTempSubdirectory("coordination-postgresql-template-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        await TakeAsync(folder);
        var data = Path.Combine(folder.FullName, "data");
        await InitializeAsync(data);
        return data;
    }

    /// <summary>Makes a folder the server's.</summary>
    private static Task TakeAsync(DirectoryInfo folder) => IsRoot ? RunAsync("chown", User, folder.FullName) : Task.CompletedTask;

    private static Task InitializeAsync(string data, params string[] more) =>
        RunAsUserAsync("initdb", ["--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", .. more]);

    private async Task ForgetAsync()
    {
        await _process!.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    private static List<int> ChildrenOf(int parent)
    {
        var children = new List<int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            try
            {
                // The name, which stands in brackets, may have any character in it.
                if (int.TryParse(Path.GetFileName(folder), out var id) && File.ReadAllText(Path.Combine(folder, "stat")).Split(')')[^1].Split(' ')[2] == $"{parent}")
                {
                    children.Add(id);
                }
            }
            catch (IOException)
            {
                // It is gone.
            }
        }

        return children;
    }

    private static async Task RunAsUserAsync(string program, params string[] arguments)
    {
        var (whole, all) = AsUser(program, arguments);
        await RunAsync(whole, all);
    }

    private static (string Program, string[] Arguments) AsUser(string program, string[] arguments)
    {
        var inFolder = Path.Combine(PostgreSqlPrograms.Folder!, program);
        var path = File.Exists(inFolder) ? inFolder : program;
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
