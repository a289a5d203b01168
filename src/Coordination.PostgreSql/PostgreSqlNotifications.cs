namespace Coordination;

/// <summary>How the nodes of a PostgreSQL store learn that a lock was passed to them. All nodes that share its tables use the same one.</summary>
public enum PostgreSqlNotifications
{
    /// <summary>By LISTEN and NOTIFY, on one connection for each node that stays open. Not for what pools connections by transaction, such as PgBouncer in that mode.</summary>
    Listen,

    /// <summary>
    /// By a table, in which each node looks every <see cref="PostgreSqlStoreOptions.PollInterval"/>: one question, however many wait. Needs no connection of its own and nothing of a
    /// session, so it works through every pooler; a handover takes up to that interval.
    /// </summary>
    Poll,
}
