using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.Benchmarks.Peers.Postgres;

/// <summary>What locks by PostgreSQL.</summary>
internal static class PostgresPeer
{
    public static bool Has(PeerKind kind) => kind >= PeerKind.PostgresStatements;

    public static ILockPeer Create(PeerKind kind, string connectionString, TimeSpan lease) => kind switch
    {
        PeerKind.PostgresStatements => new BareStatements(Open(connectionString), lease),
        PeerKind.PostgresTransactions => new BareTransactions(Open(connectionString), lease),
        PeerKind.Postgres => new CoordinationPeer(Use(connectionString, PostgreSqlNotifications.Listen), lease, waits: true),
        PeerKind.PostgresTry => new CoordinationPeer(Use(connectionString, PostgreSqlNotifications.Listen), lease, waits: false),
        PeerKind.PostgresPoll => new CoordinationPeer(Use(connectionString, PostgreSqlNotifications.Poll), lease, waits: true),
        PeerKind.PostgresDistributedLock => new PostgresDistributedLockPeer(connectionString),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "None of PostgreSQL."),
    };

    /// <summary>Statements are prepared as this library's are.</summary>
    private static NpgsqlDataSource Open(string connectionString) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 40, AutoPrepareMinUsages = 2, NoResetOnClose = true });

    private static Action<ICoordinationBuilder> Use(string connectionString, PostgreSqlNotifications notifications) =>
        builder => builder.UsePostgreSql(connectionString, options => options.Notifications = notifications);
}
