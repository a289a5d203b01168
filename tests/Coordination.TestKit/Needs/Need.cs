namespace Coordination.TestKit.Needs;

/// <summary>What a test can need that not every machine and not every run has.</summary>
public enum Need
{
    /// <summary>The run that takes its time: see <see cref="Requirement.LongTestsVariable"/>.</summary>
    LongTier,

    /// <summary><c>redis-server</c> on PATH; it is a sentinel and a node of a Cluster, too.</summary>
    RedisServer,

    /// <summary>The programs of a PostgreSQL server, on PATH or where Debian has them.</summary>
    PostgreSql,

    /// <summary><c>pgbouncer</c> on PATH.</summary>
    PgBouncer,

    /// <summary>Docker, or what speaks its API.</summary>
    ContainerEngine,

    /// <summary>The model checker <c>spin</c> on PATH.</summary>
    Spin,

    /// <summary><c>cc</c> on PATH.</summary>
    CCompiler,
}
