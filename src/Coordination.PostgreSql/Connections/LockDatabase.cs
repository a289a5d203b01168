using System.Globalization;
using System.Transactions;
using Npgsql;

namespace Coordination.PostgreSql.Connections;

/// <summary>Where the connections come from: a pool that the store made, or one of the application, which it leaves alone.</summary>
internal sealed class LockDatabase : IAsyncDisposable, IDisposable
{
    private const int Beside = 2;
    private const int Prepared = 40;

    /// <summary>For how many seconds a server that was seen as a standby is not asked again: by then it may be the primary.</summary>
    private const int MostSecondsToRecheck = 1;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource? _owned;

    private LockDatabase(NpgsqlDataSource source, NpgsqlDataSource? owned)
    {
        (_source, _owned) = (source, owned);
        Address = AddressOf(new NpgsqlConnectionStringBuilder(source.ConnectionString));
    }

    /// <summary>Whether the connections are the application's, which may have all of them in use.</summary>
    public bool IsShared => _owned is null;

    /// <summary>Whether what a session is set to stays: it is the store's, and no pooler's that gives it to others between two transactions.</summary>
    public bool KeepsSessions { get; private init; }

    /// <summary>How many connections there are for calls at most; of an application's pool, which has others beside, all.</summary>
    public int MaxConnections { get; private init; }

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
        settings.Timeout = Math.Max(seconds, 2);
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
            return new LockDatabase(source, source) { MaxConnections = options.MaxConnections, KeepsSessions = !isPooled };
        }

        var hosts = builder.BuildMultiHost();
        return new LockDatabase(hosts.WithTargetSession(TargetSessionAttributes.Primary), hosts) { MaxConnections = options.MaxConnections, KeepsSessions = !isPooled };
    }

    /// <summary>Connections of the application's.</summary>
    /// <exception cref="InvalidOperationException">They do not suit transactions.</exception>
    public static LockDatabase Share(NpgsqlDataSource source, PostgreSqlStoreOptions options)
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

        // One of several hosts gives a connection to any of them, and a standby grants no lock.
        return new LockDatabase(source is NpgsqlMultiHostDataSource hosts ? hosts.WithTargetSession(TargetSessionAttributes.Primary) : source, owned: null) { MaxConnections = settings.MaxPoolSize };
    }

    /// <summary>Opens a connection that is in no transaction, and in none of the caller's either.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (Transaction.Current is null)
        {
            return await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }

        using var none = new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
        return await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same, on the thread of the caller.</summary>
    public NpgsqlConnection Open() => _source.OpenConnection();

    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    public void Dispose() => _owned?.Dispose();

    private static string AddressOf(NpgsqlConnectionStringBuilder settings) =>
        settings.Host is not { } host ? "an unknown host"
        : host.Contains(',', StringComparison.Ordinal) || host.Contains(':', StringComparison.Ordinal) || host.StartsWith('/') ? host
        : $"{host}:{settings.Port}";
}
