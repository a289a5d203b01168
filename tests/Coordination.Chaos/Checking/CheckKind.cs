namespace Coordination.Chaos.Checking;

/// <summary>What is checked.</summary>
internal enum CheckKind
{
    /// <summary>No more processes believe to hold a lock at the same time than it bears.</summary>
    Exclusion = 1,

    /// <summary>Tokens grow in the order of grants.</summary>
    Tokens = 2,

    /// <summary>The fenced register never goes back.</summary>
    Fence = 3,

    /// <summary>A holder is told of a loss the safety margin before the next grant.</summary>
    ToldFirst = 4,

    /// <summary>A waiter is served within the lease + 250 ms.</summary>
    Served = 5,

    /// <summary>Waiters are served in the order in which they came.</summary>
    Order = 6,

    /// <summary>Nothing is left on the server.</summary>
    Residue = 7,

    /// <summary>Each fire of the schedule runs exactly once.</summary>
    Fires = 8,

    /// <summary>No worker fails by itself.</summary>
    Workers = 9,

    /// <summary>Who a lock is released to has it next.</summary>
    Succession = 10,

    /// <summary>A holder that reports no progress loses its lock, which goes on to another.</summary>
    Progress = 11,

    /// <summary>A holder that is asked to step down does.</summary>
    StepDown = 12,

    /// <summary>A node that is drained gives away what it leads, and leads nothing new.</summary>
    Drain = 13,

    /// <summary>Some node leads each partition, and each node its share.</summary>
    Partitions = 14,

    /// <summary>What was written under a lock in a transaction that it guards is not committed after the next grant.</summary>
    Guard = 15,

    /// <summary>A server that takes over has every grant that anybody was told of.</summary>
    Takeover = 16,
}
