namespace Coordination.Chaos.Scenarios;

/// <summary>What the workers find behind the address that they are given.</summary>
internal enum ServerKind
{
    /// <summary>One server, whose data is gone when it is.</summary>
    InMemory,

    /// <summary>One server, with a journal that each write is in before its reply is sent.</summary>
    Journaled,

    /// <summary>A primary and its replica behind one address, which leads to whichever of them is the primary.</summary>
    Pair,

    /// <summary>A master and its replica under three sentinels.</summary>
    Sentinel,

    /// <summary>Three masters with a replica each.</summary>
    Cluster,

    /// <summary>Three masters of a Cluster, and no replicas.</summary>
    Masters,

    /// <summary>A PostgreSQL server.</summary>
    PostgreSql,

    /// <summary>A PostgreSQL server behind a PgBouncer that pools by transaction.</summary>
    PostgreSqlPooled,

    /// <summary>A PostgreSQL server whose disk is small, where one may be mounted.</summary>
    PostgreSqlOnSmallDisk,

    /// <summary>A PostgreSQL server and a standby that confirms each commit.</summary>
    PostgreSqlSynchronous,

    /// <summary>A PostgreSQL server and a standby that follows it.</summary>
    PostgreSqlAsynchronous,
}
