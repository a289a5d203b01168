namespace Coordination.Chaos.Contenders;

/// <summary>What is put to the test.</summary>
internal enum ContenderKind
{
    /// <summary>This project's lock.</summary>
    Coordination,

    /// <summary>This project's lock, with the deadline counted from the reply to a renewal and not from before it was sent.</summary>
    DeadlineFromReply,

    /// <summary>This project's lock, released without a look at whose it is.</summary>
    ReleaseOfAnyones,

    /// <summary>This project's lock, with a renewal that makes a lock that is gone anew.</summary>
    RenewalThatRecreates,

    /// <summary>This project's lock, with a resource that takes every token.</summary>
    NoFence,

    /// <summary>This project's lock, with waiters that wait for the notification and for nothing else.</summary>
    NotificationAlone,

    /// <summary>This project's lock, with a watchdog that waits for the sinks of its telemetry.</summary>
    TelemetryOnWatchdog,

    /// <summary>This project's lock, which takes a refusal by the server for success.</summary>
    RefusalAsSuccess,

    /// <summary>This project's lock, which does not notice that its machine was suspended.</summary>
    SuspensionUnnoticed,

    /// <summary>This project's lock, with the server's time for a fencing token, whatever tokens there were before.</summary>
    TokenByClock,

    /// <summary>This project's semaphore with one permit more than there are, and its writers that ask to read.</summary>
    BeyondCapacity,

    /// <summary>This project's lock, whose holder does not hear that it is asked to step down.</summary>
    StepDownUnheard,

    /// <summary>This project's lock, which a holder that is asked to step down releases before its work has ended.</summary>
    StepDownBeforeWork,

    /// <summary>This project's lock, which goes to the next in turn where it is released to another.</summary>
    WrongSuccessor,

    /// <summary>This project's lock, with a watchdog that renews whatever progress is reported.</summary>
    ProgressUnasked,

    /// <summary>This project's services, which step down when their node is drained, and contend on.</summary>
    DrainThatContends,

    /// <summary>This project's partitioned services, which take no lock for a partition.</summary>
    PartitionsUnlocked,

    /// <summary>This project's lock, whose holder commits transactions that it does not guard.</summary>
    GuardOmitted,

    /// <summary>This project's lock, on a primary that does not wait for the standby which takes over from it.</summary>
    StandbyUnasked,

    /// <summary>This project's lock, which goes to whoever comes when it is free, whoever waits.</summary>
    QueueIgnored,

    /// <summary>SET NX PX, with no renewal.</summary>
    SetNx,

    /// <summary>DistributedLock.Redis.</summary>
    DistributedLock,

    /// <summary>RedLock.net on one server.</summary>
    RedLock,

    /// <summary>DistributedLock.Postgres.</summary>
    DistributedLockPostgres,

    /// <summary>A row with an end, which a holder renews by the lock's name alone: what had a cron run twice for 19 days (oban#1488).</summary>
    RenewalOfAnyones,

    /// <summary>A session's advisory lock, whose holder does not notice that the session has ended (wolverine#2602).</summary>
    SessionLock,

    /// <summary>A session's advisory lock on connections of a pool: it stays with whichever it was taken on.</summary>
    PooledSessionLock,
}
