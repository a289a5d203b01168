using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Connections;

/// <summary>
/// The node's connection: made on first use and disposed with the store, or handed in and left alone.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable, IDisposable
{
    private readonly SharedAttempt<IConnectionMultiplexer> _connecting;
    private readonly ConfigurationOptions? _settings;
    private readonly ILogger _logger;
    private volatile IConnectionMultiplexer? _established;
    private int _disposed;

    /// <summary>A connection that is made here, on first use.</summary>
    public RedisConnection(ConfigurationOptions settings, ILogger logger)
    {
        _settings = settings;
        _logger = logger;
        _connecting = new SharedAttempt<IConnectionMultiplexer>(ConnectAsync);
    }

    /// <summary>A connection that was handed in.</summary>
    public RedisConnection(IConnectionMultiplexer given, ILogger logger)
    {
        _logger = logger;
        _established = given;
        _connecting = new SharedAttempt<IConnectionMultiplexer>(() => Task.FromResult(given));
    }

    /// <summary>With what settings the connection is made; null for one that was handed in, whose secrets are not known.</summary>
    public ConfigurationOptions? Settings => _settings;

    /// <summary>The connection, when it has been made; null before, and when it was disposed.</summary>
    public IConnectionMultiplexer? Established => Volatile.Read(ref _disposed) == 0 ? _established : null;

    /// <summary>The connection, which may have no server at the other end for now.</summary>
    /// <exception cref="TimeoutException">The first attempt is still under way after the connect timeout.</exception>
    public async Task<IConnectionMultiplexer> GetAsync(ConfigureAwaitOptions resume, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        var connecting = _connecting.GetAsync(cancellationToken);
        if (!connecting.IsCompleted && _settings is not null)
        {
            // Others may wait for longer: the attempt itself goes on.
            connecting = connecting.WaitAsync(TimeSpan.FromMilliseconds(_settings.ConnectTimeout), TimeProvider.System, CancellationToken.None);
        }

        return await connecting.ConfigureAwait(resume);
    }

    public async ValueTask DisposeAsync()
    {
        if (BeginDisposal() is { } made)
        {
            await (await made.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        // A container that is disposed synchronously: nothing is awaited, the connection closes behind it.
        _ = DisposeAsync().AsTask();
    }

    private Task<IConnectionMultiplexer>? BeginDisposal() =>
        Interlocked.Exchange(ref _disposed, 1) == 0 && _settings is not null ? _connecting.Current : null;

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        IConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(_settings!).ConfigureAwait(false);
        connection.ConnectionFailed += (_, lost) =>
        {
            // Each server has a connection for commands and one for notifications; one line tells of both.
            if (lost.ConnectionType == ConnectionType.Interactive)
            {
                Log.ConnectionLost(_logger, lost.EndPoint, lost.FailureType);
            }
        };
        connection.ConnectionRestored += (_, restored) =>
        {
            if (restored.ConnectionType == ConnectionType.Interactive)
            {
                Log.ConnectionRestored(_logger, restored.EndPoint);
            }
        };
        _established = connection;
        return connection;
    }
}
