namespace Coordination.Chaos.Workers;

/// <summary>What the workers of a run do.</summary>
internal enum Workload
{
    /// <summary>They contend for exclusive locks, in loops.</summary>
    Locks,

    /// <summary>They contend for a semaphore and for a lock for readers and writers, in loops.</summary>
    Shares,

    /// <summary>They run a schedule of Quartz.</summary>
    Schedule,

    /// <summary>They are hosts with exclusive background services, each of which has a lock.</summary>
    Services,

    /// <summary>They are hosts with a service whose partitions they share, each of which has a lock.</summary>
    Partitions,
}
