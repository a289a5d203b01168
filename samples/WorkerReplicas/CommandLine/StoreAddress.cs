using Coordination;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using SampleKit.CommandLine;
using SampleKit.Timeline;
using StackExchange.Redis;

namespace WorkerReplicas.CommandLine;

/// <summary>The server that keeps the locks.</summary>
/// <param name="ConnectionString">As its client takes it. It may hold a password, and is on no command line that this program writes.</param>
/// <param name="IsPostgres">Whether it is PostgreSQL; else Redis.</param>
internal sealed record StoreAddress(string ConnectionString, bool IsPostgres)
{
    public const string RedisVariable = "COORDINATION_REDIS";

    public const string PostgresVariable = "COORDINATION_POSTGRES";

    private static readonly ServerOption<RedisStoreOptions> Redis = new("--redis", RedisVariable, (builder, address) => builder.UseRedis(address));

    private static readonly ServerOption<PostgreSqlStoreOptions> Postgres = new("--postgres", PostgresVariable, (builder, address) => builder.UsePostgreSql(address));

    /// <summary>The variable by which a replica is told.</summary>
    public string Variable => IsPostgres ? PostgresVariable : RedisVariable;

    /// <summary>Where it is, without the password.</summary>
    public string Name => IsPostgres
        ? "PostgreSQL at " + new NpgsqlConnectionStringBuilder(ConnectionString).Host
        : Format.Servers(ConfigurationOptions.Parse(ConnectionString).EndPoints);

    /// <summary>What the command line says, else the environment; null for neither.</summary>
    /// <exception cref="UsageException">It cannot be read, names no server, or names two.</exception>
    public static StoreAddress? Find(Arguments arguments)
    {
        var (redis, postgres) = (Redis.OnCommandLine(arguments), Postgres.OnCommandLine(arguments));
        if (redis is not null && postgres is not null)
        {
            throw new UsageException("--redis and --postgres name two servers for the locks. Give one of them.");
        }

        if (redis is null && postgres is null)
        {
            (redis, postgres) = (Redis.InEnvironment(), Postgres.InEnvironment());
        }

        return redis is not null ? new StoreAddress(redis, IsPostgres: false)
            : postgres is not null ? new StoreAddress(postgres, IsPostgres: true)
            : null;
    }

    public ICoordinationBuilder Use(ICoordinationBuilder builder) => IsPostgres ? builder.UsePostgreSql(ConnectionString) : builder.UseRedis(ConnectionString);
}
