using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Garnet;
using Garnet.common;
using Garnet.server;

namespace Coordination.Testing.EmbeddedRedis;

/// <summary>
/// A Redis-compatible server (Garnet) in this process, on 127.0.0.1: for tests, and for trying things out, where no Redis is
/// installed. It keeps everything in memory and leaves no file behind.
/// </summary>
/// <remarks>Its members may be called from any thread; calls that start or stop the server wait for each other.</remarks>
public sealed class EmbeddedServer : IAsyncDisposable
{
    // Below the ports that systems hand out for outgoing connections. With one of those, while the server is stopped, the very
    // client that tries to reconnect may be given the server's port and connect to itself.
    private const int FirstPort = 20_000;
    private const int EndOfPorts = 32_000;
    private const int PortsToTry = 50;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly EmbeddedServerOptions _options;
    private GarnetServer? _server;
    private bool _disposed;

    private EmbeddedServer(EmbeddedServerOptions options, GarnetServer server, IPEndPoint endPoint)
    {
        _options = options;
        _server = server;
        EndPoint = endPoint;
    }

    /// <summary>Where the server listens; the same over every restart.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>What a Redis client connects with: <c>127.0.0.1:port</c>.</summary>
    public string ConnectionString => EndPoint.ToString();

    /// <summary>Whether the server is started at this moment.</summary>
    public bool IsRunning => Volatile.Read(ref _server) is not null;

    /// <summary>Starts a server on a free port, with atomic scripts. Takes about a third of a second the first time.</summary>
    /// <param name="cancellationToken">Ends the wait; a server that was being started is stopped again.</param>
    /// <returns>The server, which accepts connections.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="IOException">No free port was found.</exception>
    public static Task<EmbeddedServer> StartAsync(CancellationToken cancellationToken = default) =>
        StartAsync(new EmbeddedServerOptions(), cancellationToken);

    /// <summary>Starts a server.</summary>
    /// <param name="options">Its port, and whether its scripts are atomic.</param>
    /// <param name="cancellationToken">Ends the wait; a server that was being started is stopped again.</param>
    /// <returns>The server, which accepts connections.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The port is not in its range.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="IOException">The port that was asked for is in use, or no free port was found.</exception>
    public static async Task<EmbeddedServer> StartAsync(EmbeddedServerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Port is { } port)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(port, 1, nameof(options));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort, nameof(options));
            var endPoint = new IPEndPoint(IPAddress.Loopback, port);
            return new EmbeddedServer(options, await LaunchAsync(options, endPoint, cancellationToken).ConfigureAwait(false), endPoint);
        }

        for (var attempt = 1; ; attempt++)
        {
            var endPoint = new IPEndPoint(IPAddress.Loopback, RandomNumberGenerator.GetInt32(FirstPort, EndOfPorts));
            try
            {
                return new EmbeddedServer(options, await LaunchAsync(options, endPoint, cancellationToken).ConfigureAwait(false), endPoint);
            }
            catch (IOException) when (attempt < PortsToTry)
            {
                // Another program listens there: try another port.
            }
        }
    }

    /// <summary>
    /// Stops the server as a crash would: connections are closed, all data is lost, and the port refuses connections. Does nothing
    /// when it is stopped already.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for a start or stop under way; a stop that began is finished.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The server was disposed.</exception>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            await ShutDownAsync().ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Starts the server again on the same port, with no data; stops it first when it is running.</summary>
    /// <param name="cancellationToken">Ends the wait. The server is then stopped, or as it was.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="IOException">Another program took the port meanwhile.</exception>
    /// <exception cref="ObjectDisposedException">The server was disposed.</exception>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            await ShutDownAsync().ConfigureAwait(false);
            Volatile.Write(ref _server, await LaunchAsync(_options, EndPoint, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Stops the server for good. Does nothing the second time.</summary>
    public async ValueTask DisposeAsync()
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            _disposed = true;
            await ShutDownAsync().ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    private static async Task<GarnetServer> LaunchAsync(EmbeddedServerOptions options, IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        // Garnet sets itself up on the calling thread, which takes a few hundred milliseconds of processor time.
        var server = await Task.Run(() => Launch(options, endPoint), cancellationToken).ConfigureAwait(false);
        if (!cancellationToken.IsCancellationRequested)
        {
            return server;
        }

        await Task.Run(server.Dispose, CancellationToken.None).ConfigureAwait(false);
        throw new OperationCanceledException(cancellationToken);
    }

    private static GarnetServer Launch(EmbeddedServerOptions options, IPEndPoint endPoint)
    {
        // By its options and not by a command line, which would add a console listener to the process's traces with every start.
        var server = new GarnetServer(new GarnetServerOptions
        {
            EndPoints = [endPoint],
            EnableLua = true,
            LuaOptions = new LuaOptions(),
            LuaTransactionMode = options.LuaTransactionMode,
            LogMemorySize = "16m",
            PageSize = "1m",
            IndexMemorySize = "1m",
            MaxDatabases = 16,
            QuietMode = true,
        });
        try
        {
            server.Start();
            return server;
        }
        catch (GarnetException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied })
        {
            server.Dispose();
            throw new IOException($"The embedded server cannot listen on {endPoint}, because the port is in use or reserved. Free it, or leave {nameof(EmbeddedServerOptions)}.{nameof(EmbeddedServerOptions.Port)} out to get one that is free.", e);
        }
    }

    private async Task ShutDownAsync()
    {
        if (Interlocked.Exchange(ref _server, null) is { } server)
        {
            // Garnet closes its connections and frees its memory on the calling thread.
            await Task.Run(server.Dispose).ConfigureAwait(false);
        }
    }
}
