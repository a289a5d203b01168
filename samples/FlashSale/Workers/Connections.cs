using System.Collections.Concurrent;
using Npgsql;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace FlashSale.Workers;

/// <summary>
/// The connections of a worker, and how much they send: one for stock and basic locks, and those that the store of this project's locks
/// makes for itself.
/// </summary>
internal sealed class Connections : IAsyncDisposable
{
    /// <summary>A shop is patient: what was sent while its process was paused has its reply when it goes on.</summary>
    private static readonly TimeSpan ShopPatience = TimeSpan.FromSeconds(20);

    /// <summary>For the stock in PostgreSQL. Its lock lets one buyer at a time come this far, or one for each segment.</summary>
    private const int MostConnections = 12;

    private readonly ConnectionMultiplexer _shop;
    private readonly Observer _locks = new();

    private Connections(ConnectionMultiplexer shop, ConfigurationOptions locks, NpgsqlDataSource? database, string schema)
    {
        (_shop, Database, Schema) = (shop, database, schema);
        ForLocks = locks;
        locks.Defaults = _locks;
    }

    public IDatabase Shop => _shop.GetDatabase();

    /// <summary>For the stock in PostgreSQL; null where there is no server.</summary>
    public NpgsqlDataSource? Database { get; }

    /// <summary>Where stock and locks have their tables in PostgreSQL.</summary>
    public string Schema { get; }

    /// <summary>What to give to <c>UseRedis</c>.</summary>
    public ConfigurationOptions ForLocks { get; }

    /// <summary>How many commands were sent so far.</summary>
    public long CommandsSent => _shop.OperationCount + _locks.Connections.Sum(connection => connection.OperationCount);

    public static async Task<Connections> OpenAsync(ServerAddresses servers)
    {
        var shop = ConfigurationOptions.Parse(servers.Redis);
        shop.AsyncTimeout = (int)ShopPatience.TotalMilliseconds;
        return new Connections(
            await ConnectionMultiplexer.ConnectAsync(shop),
            ConfigurationOptions.Parse(servers.Redis),
            servers.Postgres is null ? null : NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(servers.Postgres) { MaxPoolSize = MostConnections }),
            servers.Schema);
    }

    public async ValueTask DisposeAsync()
    {
        await _shop.DisposeAsync();
        if (Database is not null)
        {
            await Database.DisposeAsync();
        }
    }

    /// <summary>Is shown the connections that another makes.</summary>
    private sealed class Observer : DefaultOptionsProvider
    {
        public ConcurrentQueue<ConnectionMultiplexer> Connections { get; } = new();

        public override Task AfterConnectAsync(ConnectionMultiplexer multiplexer, Action<string> log)
        {
            Connections.Enqueue(multiplexer);
            return Task.CompletedTask;
        }
    }
}
