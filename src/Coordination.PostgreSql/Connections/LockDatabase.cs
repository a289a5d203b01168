using System.Globalization;
using System.Transactions;
using Coordination.PostgreSql.Errors;
using Npgsql;

namespace Coordination.PostgreSql.Connections;

/// <summary>Where the connections come from: a pool that the store made, or one of the application, which it leaves alone.</summary>
internal sealed class LockDatabase : IAsyncDisposable, IDisposable
{
    private const int Beside = 2;
    private const int Prepared = 40;

    /// <summary>For how many seconds a server that was seen as a standby is not asked again: by then it may be the primary.</summary>
    private const int MostSecondsToRecheck = 1;

    private const int FewestSecondsToOpen = 2;

    /// <summary>Between the client's limit and that of whoever waits for the client, so that the client says what it waited for.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(250);

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource? _owned;
    private readonly TimeSpan _closeLimit;

    private LockDatabase(NpgsqlDataSource source, NpgsqlDataSource? owned, TimeSpan commandTimeout)
    {
        (_source, _owned, _closeLimit) = (source, owned, commandTimeout);
        OpenLimit = TimeSpan.FromSeconds(SecondsToOpen(commandTimeout)) + (owned is null ? TimeSpan.Zero : Slack);
        Address = AddressOf(new NpgsqlConnectionStringBuilder(source.ConnectionString));
    }

    /// <summary>Whether the connections are the application's, which may have all of them in use.</summary>
    public bool IsShared => _owned is null;

    /// <summary>Whether what a session is set to stays: it is the store's, and no pooler's that gives it to others between two transactions.</summary>
    public bool KeepsSessions { get; private init; }

    /// <summary>How many connections there are for calls at most; of an application's pool, which has others beside, all.</summary>
    public int MaxConnections { get; private init; }

    /// <summary>How long to wait for a connection: for one that is made, and for one of the pool that is free.</summary>
    public TimeSpan OpenLimit { get; private init; }

    /// <summary>Where the server is, for messages: never with a password.</summary>
    public string Address { get; }

    /// <summary>Connections of the store's own.</summary>
    public static LockDatabase Make(string connectionString, PostgreSqlStoreOptions options, TimeSpan commandTimeout)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var seconds = (int)Math.Ceiling(commandTimeout.TotalSeconds);
        var isPooled = options.Notifications == PostgreSqlNotifications.Poll;

        // What leases depend on is set here, whatever the connection string says.
        settings.Pooling = true;
        settings.Multiplexing = false;
        settings.Enlist = false;
        settings.Timeout = SecondsToOpen(commandTimeout);
        settings.CommandTimeout = seconds;
        settings.CancellationTimeout = -1;
        settings.MaxPoolSize = options.MaxConnections + Beside;
        settings.MinPoolSize = 0;
        settings.NoResetOnClose = true;
        settings.IncludeErrorDetail = false;
        settings.MaxAutoPrepare = isPooled ? 0 : Prepared;
        settings.AutoPrepareMinUsages = 2;
        settings.HostRecheckSeconds = Math.Min(settings.HostRecheckSeconds, MostSecondsToRecheck);
        settings.ApplicationName ??= "Coordination";
        settings.PersistSecurityInfo = false;
        settings.Remove("Target Session Attributes");
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        if (settings.Host?.Contains(',', StringComparison.Ordinal) != true)
        {
            var source = builder.Build();
            return new LockDatabase(source, source, commandTimeout) { MaxConnections = options.MaxConnections, KeepsSessions = !isPooled };
        }

        var hosts = builder.BuildMultiHost();
        return new LockDatabase(hosts.WithTargetSession(TargetSessionAttributes.Primary), hosts, commandTimeout)
        {
            MaxConnections = options.MaxConnections,
            KeepsSessions = !isPooled,
            OpenLimit = (settings.Host.Split(',').Length * TimeSpan.FromSeconds(settings.Timeout)) + Slack,
        };
    }

    /// <summary>Connections of the application's.</summary>
    /// <exception cref="InvalidOperationException">They do not suit transactions, or lead to standbys, or are too few.</exception>
    public static LockDatabase Share(NpgsqlDataSource source, PostgreSqlStoreOptions options, TimeSpan commandTimeout)
    {
        var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        if (settings.Multiplexing)
        {
            throw new InvalidOperationException("The NpgsqlDataSource that UsePostgreSql was given has Multiplexing=true, which leaves no connection to a transaction. Give it one without, or a connection string.");
        }

        if (ConnectionSettings.FindErrors(settings).FirstOrDefault() is { } error)
        {
            throw new InvalidOperationException($"The NpgsqlDataSource that UsePostgreSql was given {error}");
        }

        var least = options.Notifications == PostgreSqlNotifications.Poll ? Beside : Beside + 1;
        if (settings.Pooling && settings.MaxPoolSize < least)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"The NpgsqlDataSource that UsePostgreSql was given has Maximum Pool Size={settings.MaxPoolSize}, and the store needs {least} at least: {(least > Beside ? "one for renewals, one for notifications" : "one for renewals")} and one for calls. Raise it by what the application uses beside, or give UsePostgreSql a connection string, for a pool of the store's own."));
        }

        if (source is NpgsqlMultiHostDataSource hosts)
        {
            // It gives a connection to any of them, and a standby grants no lock.
            return new LockDatabase(hosts.WithTargetSession(TargetSessionAttributes.Primary), owned: null, commandTimeout) { MaxConnections = settings.MaxPoolSize };
        }

        if (settings.Host?.Contains(',', StringComparison.Ordinal) == true)
        {
            // The client tells nobody to which of the hosts it leads.
            throw new InvalidOperationException(
                "The NpgsqlDataSource that UsePostgreSql was given is one that WithTargetSession made of an NpgsqlMultiHostDataSource, and may lead to a standby, which grants no lock. Give the NpgsqlMultiHostDataSource itself, such as UsePostgreSql(services => services.GetRequiredService<NpgsqlMultiHostDataSource>()): its primary is asked. Or give a connection string.");
        }

        return new LockDatabase(source, owned: null, commandTimeout) { MaxConnections = settings.MaxPoolSize };
    }

    /// <summary>Opens a connection that is in no transaction, and in none of the caller's either.</summary>
    /// <exception cref="TimeoutException">There was none in time. One that comes later goes to the pool.</exception>
    public async ValueTask<LentConnection> OpenAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var opening = BeginToOpen();
        if (opening.IsCompletedSuccessfully)
        {
            return new LentConnection(opening.Result, _closeLimit);
        }

        var opened = opening.AsTask();
        try
        {
            return new LentConnection(await opened.WaitAsync(OpenLimit, cancellationToken).ConfigureAwait(false), _closeLimit);
        }
        catch (Exception e)
        {
            _ = PutBackLateAsync(opened);
            if (e is TimeoutException && !opened.IsFaulted)
            {
                throw new TimeoutException($"No connection was made within {OpenLimit}, and none of the pool was free.", e);
            }

            throw;
        }
    }

    /// <summary>The same, on the thread of the caller, which it may block for as long as the pool's settings say.</summary>
    public NpgsqlConnection Open() => _source.OpenConnection();

    /// <summary>Opens a connection, asks, and puts it back. Where the server has ended the session while nobody used it, it asks by another one.</summary>
    /// <exception cref="TimeoutException">It took longer.</exception>
    public async Task<T> AskAsync<T>(Func<NpgsqlConnection, Task<T>> ask, TimeSpan within, CancellationToken cancellationToken)
    {
        for (var ended = 0; ; ended++)
        {
            var connection = await OpenAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                try
                {
                    return await connection.RunAsync(ask, within, cancellationToken).ConfigureAwait(false);
                }
                catch (PostgresException idle) when (ended < MaxConnections && PostgreSqlErrorClassifier.IsOfIdleSession(idle))
                {
                    // Nothing was sent before that.
                }
            }
        }
    }

    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    public void Dispose() => _owned?.Dispose();

    private static int SecondsToOpen(TimeSpan commandTimeout) => Math.Max((int)Math.Ceiling(commandTimeout.TotalSeconds), FewestSecondsToOpen);

    private ValueTask<NpgsqlConnection> BeginToOpen()
    {
        if (Transaction.Current is null)
        {
            return _source.OpenConnectionAsync(CancellationToken.None);
        }

        using var none = new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
        return _source.OpenConnectionAsync(CancellationToken.None);
    }

    /// <summary>
    /// Whoever waited has left, and the client goes on: one that takes long is in the pool for the next, and of several hosts the client asks another only when it gave up one by itself.
    /// </summary>
    private async Task PutBackLateAsync(Task<NpgsqlConnection> opened)
    {
        await ((Task)opened).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (opened.IsCompletedSuccessfully)
        {
            await new LentConnection(await opened.ConfigureAwait(false), _closeLimit).DisposeAsync().ConfigureAwait(false);
        }
    }

    private static string AddressOf(NpgsqlConnectionStringBuilder settings) =>
        settings.Host is not { } host ? "an unknown host"
        : host.Contains(',', StringComparison.Ordinal) || host.Contains(':', StringComparison.Ordinal) || host.StartsWith('/') ? host
        : $"{host}:{settings.Port}";
}
