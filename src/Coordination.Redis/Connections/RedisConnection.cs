using System.Diagnostics;
using System.Net;
using Coordination.Redis.Errors;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Connections;

/// <summary>
/// The node's connection: made on first use, made anew when it leads to a primary that is none any more, and disposed with the
/// store; or handed in and left alone.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable, IDisposable
{
    /// <summary>How long a connection may take before it is asked what keeps it.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromMilliseconds(500);

    /// <summary>How long an operation waits for a connection that the application makes: as long as for one of the client's own.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private static readonly EndPoint Unknown = new DnsEndPoint("unknown", 0);

    private readonly SharedAttempt<IConnectionMultiplexer> _connecting;
    private readonly Diagnosis _diagnosis;
    private readonly LossReports _losses;
    private readonly ConfigurationOptions? _settings;
    private readonly Func<Task<IConnectionMultiplexer>>? _find;
    private readonly PrimarySearch _search;
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _gate = new();
    private volatile IConnectionMultiplexer? _established;
    private Task<IConnectionMultiplexer>? _making;
    private Task _retiring = Task.CompletedTask;
    private int _disposed;

    /// <summary>A connection that is made here, on first use.</summary>
    public RedisConnection(ConfigurationOptions settings, ILogger logger)
        : this(settings, find: null, logger)
    {
    }

    /// <summary>A connection that was handed in.</summary>
    public RedisConnection(IConnectionMultiplexer given, ILogger logger)
        : this(settings: null, find: null, logger) => _established = given;

    /// <summary>A connection that the application finds or makes, on first use.</summary>
    public RedisConnection(Func<Task<IConnectionMultiplexer>> find, ILogger logger)
        : this(settings: null, find, logger)
    {
    }

    private RedisConnection(ConfigurationOptions? settings, Func<Task<IConnectionMultiplexer>>? find, ILogger logger)
    {
        _settings = settings;
        _find = find;
        _connecting = new SharedAttempt<IConnectionMultiplexer>(ConnectAsync);
        Disposing = _disposing.Token;
        _search = new PrimarySearch(this, logger);
        _losses = new LossReports(logger, Disposing);
        _diagnosis = new Diagnosis(FindUnreached, () => Known is not { Ssl: false });
    }

    /// <summary>The connection was made anew. The one before it is closed a little later, when what is under way on it has ended.</summary>
    public event Action? Replaced;

    private IReadOnlyList<EndPoint> Servers =>
        Established?.GetEndPoints() ?? [.. (_settings?.EndPoints ?? []).Select(server => ServerAddress.WithPort(server, DefaultPort))];

    /// <summary>As the client has it.</summary>
    private int DefaultPort => _settings switch
    {
        { ServiceName: not null } => 26379,
        { Ssl: true } => 6380,
        _ => 6379,
    };

    /// <summary>The settings, also of a connection that was handed in, where they can be read.</summary>
    private ConfigurationOptions? Known => _settings ?? (_established is { } given ? ConnectionSettings.Of(given) : null);

    /// <summary>How long a call may last that waits for its cause: an attempt has time for two commands.</summary>
    private TimeSpan PatienceForCause => TimeSpan.FromMilliseconds((Known?.AsyncTimeout ?? 1000) * 1.5);

    /// <summary>With what settings the connection is made; null for one that was handed in, whose secrets are not known.</summary>
    public ConfigurationOptions? Settings => _settings;

    /// <summary>The connection, when it has been made; null before, and when it was disposed.</summary>
    public IConnectionMultiplexer? Established => IsDisposed ? null : _established;

    /// <summary>The servers, as logs and exceptions name them.</summary>
    public string Address => ServerAddress.Of(Servers);

    /// <summary>Why there is no connection, as far as it is found out; null where it is not.</summary>
    public string? Finding => _diagnosis.Finding;

    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Cancelled when this is disposed.</summary>
    public CancellationToken Disposing { get; }

    /// <summary>The connection, which may have no server at the other end for now.</summary>
    /// <exception cref="TimeoutException">The first attempt is still under way after the connect timeout, or it was found out that none of the servers is in reach.</exception>
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
            connecting = connecting.WaitAsync(_settings is null ? ConnectTimeout : TimeSpan.FromMilliseconds(_settings.ConnectTimeout), TimeProvider.System, CancellationToken.None);
        }

        return await connecting.ConfigureAwait(resume);
    }

    /// <summary>
    /// Looks at what a server refused, or why none was asked: where the primary has become a replica, looks for the new one; where there is no connection,
    /// finds out why.
    /// </summary>
    /// <param name="failure">What the client threw.</param>
    /// <param name="begunAt">When the call began that failed, as the system's timestamp.</param>
    /// <param name="write">Writes on the primary, and so fails where there is none.</param>
    /// <returns>Ends when it is found out why there is no connection, or that takes longer than a call may wait for it. Throws nothing.</returns>
    public Task NoticeAsync(Exception failure, long begunAt, Func<IConnectionMultiplexer, Task> write)
    {
        if (RedisErrorClassifier.IsOfReplica(failure) || (failure is RedisConnectionException && HasOnlyReplicas()))
        {
            _search.Begin(write);
        }

        return failure is RedisConnectionException or TimeoutException ? FindOutAsync(begunAt) : Task.CompletedTask;
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
        if (_connecting.Current is { } connecting && _settings is not null)
        {
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ((Task?)_making ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if ((_established ?? (_making is { IsCompletedSuccessfully: true } made ? await made.ConfigureAwait(false) : null)) is { } established)
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
        if (_find is not null)
        {
            return _established = await _find().ConfigureAwait(false);
        }

        // The client's own attempt goes on over several of these: who waits for it is told why as soon as that is known.
        var making = _making is null or { IsFaulted: true } or { IsCanceled: true } ? _making = MakeAsync() : _making;
        await Task.WhenAny(making, Task.Delay(Usual, TimeProvider.System, Disposing)).ConfigureAwait(false);
        if (!making.IsCompleted)
        {
            await Task.WhenAny(making, _diagnosis.BeginAsync()).ConfigureAwait(false);
            if (!making.IsCompleted && _diagnosis.FindingOfAll is { } finding)
            {
                throw new TimeoutException(finding);
            }
        }

        var connection = await making.ConfigureAwait(false);
        Observe(connection);
        _established = connection;
        if (!connection.IsConnected)
        {
            await _diagnosis.BeginAsync().ConfigureAwait(false);
        }

        return connection;
    }

    private async Task FindOutAsync(long begunAt)
    {
        var finding = _diagnosis.BeginAsync();
        var left = PatienceForCause - Stopwatch.GetElapsedTime(begunAt);
        if (!finding.IsCompleted && left > TimeSpan.Zero)
        {
            await ((Task)finding).WaitAsync(left, TimeProvider.System, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
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

    private IEnumerable<EndPoint> FindUnreached()
    {
        if (Known is { Tunnel: not null })
        {
            // What a way of the application's own leads to is not to be reached from here.
            return [];
        }

        return Established?.GetServers().Where(server => !server.IsConnected).Select(server => server.EndPoint) ?? Servers;
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
            _ = _diagnosis.BeginAsync();
            _losses.Lost(lost.EndPoint ?? Unknown, lost.FailureType);
        }
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs restored)
    {
        if (restored.ConnectionType == ConnectionType.Interactive)
        {
            _diagnosis.Forget();
            _losses.Restored(restored.EndPoint ?? Unknown);
        }
    }
}
