using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SampleKit.Processes;

namespace SampleKit.Servers;

/// <summary>A PostgreSQL server for one run, where its programs are installed: a process, a temporary folder, a free port on 127.0.0.1. It refuses to run as root, so there it is the user <c>nobody</c>.</summary>
public sealed class LocalPostgres : IAsyncDisposable
{
    private const string User = "nobody";
    private const string Debian = "/usr/lib/postgresql";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-sample-");
    private readonly string _programs;
    private readonly int _port = FindPort();
    private Process? _process;

    private LocalPostgres(string programs) => _programs = programs;

    /// <summary>How its owner connects, who may do everything.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port};Username=postgres;Database=postgres");

    private static bool IsRoot => !OperatingSystem.IsWindows() && Environment.UserName == "root";

    private string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Starts one, if its programs are on PATH or where Debian has them.</summary>
    /// <returns>Null where there are none.</returns>
    /// <exception cref="ServerNotStartedException">It does not start.</exception>
    public static async Task<LocalPostgres?> TryStartAsync(CancellationToken cancellationToken)
    {
        if (FindPrograms() is not { } programs)
        {
            return null;
        }

        var server = new LocalPostgres(programs);
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it at once, and deletes what it kept.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            if (!process.HasExited)
            {
                // At once, with no word to its sessions, and with all of its processes.
                ProcessSignal.Quit(process.Id);
                await process.WaitForExitAsync(CancellationToken.None);
            }

            process.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private static string? FindPrograms()
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var ofDebian = !Directory.Exists(Debian) ? [] : Directory.GetDirectories(Debian)
            .OrderByDescending(folder => double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin"));
        return OperatingSystem.IsWindows() ? null : onPath.Concat(ofDebian).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }

    private static int FindPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        if (IsRoot)
        {
            await RunAsync(Prepare("chown", [User, _folder.FullName]), cancellationToken);
        }

        await RunAsync(AsUser("initdb", ["--pgdata", Data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]), cancellationToken);
        _process = Start(AsUser("postgres", ["-D", Data, "-p", _port.ToString(CultureInfo.InvariantCulture), "-k", "", "-c", "listen_addresses=127.0.0.1"]));
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                ready.TrySetException(new ServerNotStartedException("PostgreSQL ended while it started."));
            }
            else if (line.Data.Contains("ready to accept", StringComparison.Ordinal))
            {
                ready.TrySetResult();
            }
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(Limit, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw new ServerNotStartedException($"PostgreSQL was not ready within {Limit.TotalSeconds:0} s.", e);
        }
    }

    private ProcessStartInfo AsUser(string program, string[] arguments)
    {
        var path = Path.Combine(_programs, program);
        return IsRoot ? Prepare("setpriv", ["--reuid", User, "--regid", "nogroup", "--clear-groups", path, .. arguments]) : Prepare(path, arguments);
    }

    private ProcessStartInfo Prepare(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder.FullName };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    private static async Task RunAsync(ProcessStartInfo start, CancellationToken cancellationToken)
    {
        using var process = Start(start);
        try
        {
            var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken)).WaitAsync(Limit, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new ServerNotStartedException($"{start.FileName} ended with {process.ExitCode}: {said[1].Trim()}");
            }
        }
        catch (TimeoutException e)
        {
            throw new ServerNotStartedException($"{start.FileName} did not end within {Limit.TotalSeconds:0} s.", e);
        }
        finally
        {
            // Interrupted, it would write on into a folder that is being deleted.
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new ServerNotStartedException($"{start.FileName} cannot be run: {e.Message}", e);
        }
    }
}
