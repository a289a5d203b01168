namespace Coordination.Benchmarks.Peers;

internal enum PeerKind
{
    /// <summary>The two commands that any lock on Redis needs: SET NX PX, and a script that deletes what is still one's own.</summary>
    Raw,

    Coordination,

    /// <summary>This library, by its call that does not wait.</summary>
    CoordinationTry,

    DistributedLock,

    RedLock,

    /// <summary>The two statements that any lock in a table needs, each committed by itself.</summary>
    PostgresStatements,

    /// <summary>The same in transactions, in which the client decides.</summary>
    PostgresTransactions,

    /// <summary>This library on PostgreSQL.</summary>
    Postgres,

    /// <summary>The same, by its call that does not wait.</summary>
    PostgresTry,

    /// <summary>The same, where nodes look for what they are told instead of listening.</summary>
    PostgresPoll,

    /// <summary>DistributedLock.Postgres.</summary>
    PostgresDistributedLock,
}
