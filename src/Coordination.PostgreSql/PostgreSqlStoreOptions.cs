using Npgsql;

namespace Coordination;

/// <summary>The settings of the PostgreSQL store, bound from the configuration section <c>Coordination:PostgreSql</c> and checked when the host starts.</summary>
public sealed class PostgreSqlStoreOptions
{
    /// <summary>The configuration section: <c>Coordination:PostgreSql</c>.</summary>
    public const string SectionName = "Coordination:PostgreSql";

    /// <summary>
    /// The database, in the form of Npgsql: <c>Host=…;Username=…;Password=…;Database=…</c>. Several hosts, of which the store uses the one that takes writes, have commas between them. It
    /// may hold a password and is never logged.
    /// </summary>
    /// <value>Null, the default, for the <see cref="NpgsqlDataSource"/> that is registered already.</value>
    public string? ConnectionString { get; set; }

    /// <summary>The schema with the store's tables, which keeps applications that share a database apart. All nodes of an application use the same one.</summary>
    /// <value>1 to 48 small letters, digits and underscores, and no digit first; <c>coordination</c> by default.</value>
    public string Schema { get; set; } = "coordination";

    /// <summary>Whether to make the schema and its tables where they are missing. Else they are made from <c>schema.sql</c>, which is in the package, and the store needs no right to make any.</summary>
    /// <value>True by default. Many nodes may start at once.</value>
    public bool CreateSchema { get; set; } = true;

    /// <summary>How nodes learn that a lock was passed to them. All nodes that share the tables use the same one.</summary>
    /// <value><see cref="PostgreSqlNotifications.Listen"/> by default.</value>
    public PostgreSqlNotifications Notifications { get; set; }

    /// <summary>How often a node looks for what it was told, where <see cref="Notifications"/> is <see cref="PostgreSqlNotifications.Poll"/>.</summary>
    /// <value>50 ms to 1 minute; 1 second by default.</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a statement waits for its reply; shorter than the renewal interval, so that a renewal that hangs leaves time for another. For a row that somebody else has locked it waits
    /// for three quarters of it at most, and is sent again.
    /// </summary>
    /// <value>
    /// 100 ms to 1 minute. Null, the default, for 2 seconds or half the renewal interval, whichever is shorter. The client counts in whole seconds and rounds up; the node's own limits
    /// count exactly.
    /// </value>
    public TimeSpan? CommandTimeout { get; set; }

    /// <summary>How many connections the store makes for calls at most, where it makes them itself. One for renewals and one for notifications come beside.</summary>
    /// <value>1 to 1000; 20 by default. Calls beyond that wait for their turn.</value>
    public int MaxConnections { get; set; } = 20;

    /// <summary>Its part of the section of a node.</summary>
    internal const string Section = "PostgreSql";

    /// <summary>What <c>UsePostgreSql(NpgsqlDataSource)</c> was given. A field, because it is not bound from the configuration.</summary>
    internal Func<IServiceProvider, NpgsqlDataSource>? Find;

    internal void ConnectTo(string connectionString) => (ConnectionString, Find) = (connectionString, null);

    internal void ConnectTo(Func<IServiceProvider, NpgsqlDataSource> find) => (ConnectionString, Find) = (null, find);

    /// <summary>The command timeout, with the default worked out.</summary>
    internal TimeSpan CommandTimeoutFor(CoordinationOptions coordination)
    {
        if (CommandTimeout is { } chosen)
        {
            return chosen;
        }

        var (half, most) = (RenewalInterval(coordination) / 2, TimeSpan.FromSeconds(2));
        return half < most ? half : most;
    }

    internal static TimeSpan RenewalInterval(CoordinationOptions coordination) => coordination.RenewalInterval ?? coordination.LeaseDuration / 3;
}
