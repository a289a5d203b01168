using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Servers;

/// <summary>A redis-server of its own: a process, a folder, a port on 127.0.0.1.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private RedisServer(Process process, DirectoryInfo folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
    }

    public int Port { get; }

    public int ProcessId => _process.Id;

    public string Address => $"127.0.0.1:{Port}";

    /// <param name="settings">As in redis.conf, each with two dashes before it.</param>
    public static async Task<RedisServer> StartAsync(params string[] settings)
    {
        var port = FreePort();
        var folder = Directory.CreateTempSubdirectory("coordination-benchmarks-");
        var start = new ProcessStartInfo("redis-server") { WorkingDirectory = folder.FullName, RedirectStandardOutput = true };
        foreach (var word in (string[])["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.FullName, "--logfile", "redis.log", .. settings])
        {
            start.ArgumentList.Add(word);
        }

        var server = new RedisServer(Process.Start(start)!, folder, port);
        try
        {
            await server.AnswersAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task AnswersAsync()
    {
        using var limit = new CancellationTokenSource(StartLimit);
        while (!_process.HasExited)
        {
            try
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync($"{Address},connectTimeout=1000,connectRetry=1");
                await connection.GetDatabase().PingAsync();
                return;
            }
            catch (RedisException)
            {
                // It is not ready yet.
                await Task.Delay(20, limit.Token);
            }
        }

        throw new InvalidOperationException($"redis-server ended: {await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "redis.log"))}");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
