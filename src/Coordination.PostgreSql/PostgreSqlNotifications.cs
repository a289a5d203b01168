namespace Coordination;

/// <summary>How the nodes of a PostgreSQL store learn that a lock was passed to them.</summary>
public enum PostgreSqlNotifications
{
    /// <summary>By LISTEN and NOTIFY, on one connection for each node that stays open. Not for what pools connections by transaction, such as PgBouncer in that mode.</summary>
    Listen,

    /// <summary>
    /// By asking: each waiter asks again within <see cref="PostgreSqlStoreOptions.PollInterval"/>. Needs no connection of its own and nothing of a session, so it works
    /// through every pooler; a handover takes up to that interval.
    /// </summary>
    Poll,
}
