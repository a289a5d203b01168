using System.Diagnostics;
using Coordination.TestKit.Needs;

namespace Coordination.TestKit.Servers;

/// <summary>A PgBouncer of its own that pools by transaction, on 127.0.0.1 before a server there. It refuses to run as root, so there it is the user <c>nobody</c>.</summary>
public sealed class PgBouncerProcess : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-pgbouncer-");
    private Process? _process;

    private PgBouncerProcess(int port) => Port = port;

    public int Port { get; }

    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres";

    private static bool IsRoot => !OperatingSystem.IsWindows() && Environment.UserName == "root";

    /// <summary>Starts it.</summary>
    /// <param name="serverPort">Of the server, which trusts the user <c>postgres</c>.</param>
    /// <param name="connections">How many it makes to the server.</param>
    public static async Task<PgBouncerProcess> StartAsync(int serverPort, int connections)
    {
        Requirement.Demand(Need.PgBouncer);
        var pooler = new PgBouncerProcess(FreePort.Take());
        try
        {
            await pooler.BeginAsync(serverPort, connections);
            return pooler;
        }
        catch
        {
            await pooler.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private async Task BeginAsync(int serverPort, int connections)
    {
        var (settings, users) = (Path.Combine(_folder.FullName, "pgbouncer.ini"), Path.Combine(_folder.FullName, "users.txt"));
        await File.WriteAllTextAsync(users, "\"postgres\" \"\"\n");
        await File.WriteAllTextAsync(settings, $"""
            [databases]
            * = host=127.0.0.1 port={serverPort}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {Port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {users}
            pool_mode = transaction
            default_pool_size = {connections}
            max_client_conn = 200
            ignore_startup_parameters = extra_float_digits

            """);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }

        var program = ProgramPath.Find("pgbouncer")!;
        var start = IsRoot
            ? new ProcessStartInfo("setpriv", ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", program, settings])
            : new ProcessStartInfo(program, [settings]);
        (start.RedirectStandardError, start.RedirectStandardOutput, start.WorkingDirectory) = (true, true, _folder.FullName);
        _process = Process.Start(start)!;
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new System.Collections.Concurrent.ConcurrentQueue<string>();
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException($"pgbouncer on port {Port} ended: {string.Join('\n', said)}"));
                return;
            }

            said.Enqueue(line.Data);
            if (line.Data.Contains("process up", StringComparison.Ordinal))
            {
                ready.TrySetResult();
            }
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await ready.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }
}
