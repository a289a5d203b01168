using Coordination.Redis.Errors;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Connections;

/// <summary>
/// The node's connection: made on first use, made anew when it leads to a primary that is none any more, and disposed with the
/// store; or handed in and left alone.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable, IDisposable
{
    private readonly SharedAttempt<IConnectionMultiplexer> _connecting;
    private readonly ConfigurationOptions? _settings;
    private readonly PrimarySearch _search;
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _gate = new();
    private readonly ILogger _logger;
    private volatile IConnectionMultiplexer? _established;
    private Task _retiring = Task.CompletedTask;
    private int _disposed;

    /// <summary>A connection that is made here, on first use.</summary>
    public RedisConnection(ConfigurationOptions settings, ILogger logger)
        : this(settings, given: null, logger)
    {
    }

    /// <summary>A connection that was handed in.</summary>
    public RedisConnection(IConnectionMultiplexer given, ILogger logger)
        : this(settings: null, given, logger)
    {
    }

    private RedisConnection(ConfigurationOptions? settings, IConnectionMultiplexer? given, ILogger logger)
    {
        _settings = settings;
        _established = given;
        _logger = logger;
        _connecting = new SharedAttempt<IConnectionMultiplexer>(ConnectAsync);
        Disposing = _disposing.Token;
        _search = new PrimarySearch(this, logger);
    }

    /// <summary>The connection was made anew. The one before it is closed a little later, when what is under way on it has ended.</summary>
    public event Action? Replaced;

    /// <summary>With what settings the connection is made; null for one that was handed in, whose secrets are not known.</summary>
    public ConfigurationOptions? Settings => _settings;

    /// <summary>The connection, when it has been made; null before, and when it was disposed.</summary>
    public IConnectionMultiplexer? Established => IsDisposed ? null : _established;

    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Cancelled when this is disposed.</summary>
    public CancellationToken Disposing { get; }

    /// <summary>The connection, which may have no server at the other end for now.</summary>
    /// <exception cref="TimeoutException">The first attempt is still under way after the connect timeout.</exception>
    public async Task<IConnectionMultiplexer> GetAsync(ConfigureAwaitOptions resume, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_established is { } established)
        {
            return established;
        }

        var connecting = _connecting.GetAsync(cancellationToken);
        if (!connecting.IsCompleted)
        {
            // Others may wait for longer: the attempt itself goes on.
            connecting = connecting.WaitAsync(TimeSpan.FromMilliseconds(_settings!.ConnectTimeout), TimeProvider.System, CancellationToken.None);
        }

        return await connecting.ConfigureAwait(resume);
    }

    /// <summary>Looks at what a server refused, or why none was asked: where the primary has become a replica, looks for the new one.</summary>
    /// <param name="failure">What the client threw.</param>
    /// <param name="write">Writes on the primary, and so fails where there is none.</param>
    public void Notice(Exception failure, Func<IConnectionMultiplexer, Task> write)
    {
        if (RedisErrorClassifier.IsOfReplica(failure) || (failure is RedisConnectionException && HasOnlyReplicas()))
        {
            _search.Begin(write);
        }
    }

    /// <summary>Makes a connection that is not used yet, with the settings of this one.</summary>
    public async Task<IConnectionMultiplexer> MakeAsync() => await ConnectionMultiplexer.ConnectAsync(_settings!).ConfigureAwait(false);

    /// <summary>Puts a connection in the place of the one that stands.</summary>
    /// <returns>False when this was disposed meanwhile.</returns>
    public bool TryReplace(IConnectionMultiplexer connection)
    {
        lock (_gate)
        {
            if (IsDisposed)
            {
                return false;
            }

            var old = _established!;
            Observe(connection);
            _established = connection;
            _retiring = RetireAsync(_retiring, old);
        }

        Replaced?.Invoke();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        Task retiring;
        lock (_gate)
        {
            if (Interlocked.Exchange(ref _disposed, 1) != 0)
            {
                return;
            }

            retiring = _retiring;
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
        if (_connecting.Current is { } made)
        {
            await ((Task)made).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_established is { } established)
            {
                Forget(established);
                await established.DisposeAsync().ConfigureAwait(false);
            }
        }

        await retiring.ConfigureAwait(false);
        _disposing.Dispose();
    }

    public void Dispose()
    {
        // A container that is disposed synchronously: nothing is awaited, the connection closes behind it.
        _ = DisposeAsync().AsTask();
    }

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        var connection = await MakeAsync().ConfigureAwait(false);
        Observe(connection);
        _established = connection;
        return connection;
    }

    /// <summary>Closes a connection when the commands on it have ended, and who listens on it has moved.</summary>
    private async Task RetireAsync(Task before, IConnectionMultiplexer old)
    {
        Forget(old);
        await Task.Delay(2 * TimeSpan.FromMilliseconds(old.TimeoutMilliseconds), TimeProvider.System, Disposing)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await old.DisposeAsync().ConfigureAwait(false);
        await before.ConfigureAwait(false);
    }

    private bool HasOnlyReplicas()
    {
        var connected = Established?.GetServers().Where(server => server.IsConnected).ToArray();
        return connected is { Length: > 0 } && connected.All(server => server.IsReplica && server.ServerType != ServerType.Cluster);
    }

    private void Observe(IConnectionMultiplexer connection)
    {
        connection.ConnectionFailed += OnLost;
        connection.ConnectionRestored += OnRestored;
    }

    private void Forget(IConnectionMultiplexer connection)
    {
        connection.ConnectionFailed -= OnLost;
        connection.ConnectionRestored -= OnRestored;
    }

    private void OnLost(object? sender, ConnectionFailedEventArgs lost)
    {
        // Each server has a connection for commands and one for notifications; one line tells of both.
        if (lost.ConnectionType == ConnectionType.Interactive)
        {
            Log.ConnectionLost(_logger, lost.EndPoint, lost.FailureType);
        }
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs restored)
    {
        if (restored.ConnectionType == ConnectionType.Interactive)
        {
            Log.ConnectionRestored(_logger, restored.EndPoint);
        }
    }
}
