namespace Coordination.Chaos.Faults;

/// <summary>What is done to processes, servers and the network between them.</summary>
internal enum FaultKind
{
    /// <summary>SIGKILL, and the worker is started again.</summary>
    Kill,

    /// <summary>SIGTERM, and the worker is started again.</summary>
    Terminate,

    /// <summary>SIGSTOP for less than a lease.</summary>
    PauseShort,

    /// <summary>SIGSTOP for more than a lease.</summary>
    PauseLong,

    /// <summary>A worker stands still for more than a lease, and its monotonic clock with it, as when its machine is suspended.</summary>
    SuspendMachine,

    /// <summary>A worker suspends itself with a release under way.</summary>
    SuspendInRelease,

    /// <summary>A worker suspends itself with a claim under way.</summary>
    SuspendInClaim,

    /// <summary>Every thread of a worker's pool is blocked.</summary>
    StarvePool,

    /// <summary>A worker's wall clock jumps.</summary>
    ShiftClock,

    /// <summary>No notification reaches a worker.</summary>
    Deafen,

    /// <summary>The log, the metrics and the traces of a worker throw.</summary>
    SinksThrow,

    /// <summary>The log and the metrics of a worker block whoever tells them something.</summary>
    SinksBlock,

    /// <summary>Redis is killed and started again. What it lost depends on whether it had a journal.</summary>
    RestartServer,

    FlushAll,

    FlushScripts,

    KillClients,

    PauseClients,

    /// <summary>DEBUG SLEEP: the server replies to nobody.</summary>
    SleepServer,

    /// <summary>DEL of a lock's keys.</summary>
    DeleteKeys,

    /// <summary>The server refuses writes for want of memory.</summary>
    ExhaustMemory,

    /// <summary>Replies take longer.</summary>
    Delay,

    /// <summary>Replies take longer, and then nothing arrives.</summary>
    DelayThenBlackHole,

    DropReplies,

    DropRequests,

    /// <summary>Nothing arrives, either way, and the connection is cut in the end.</summary>
    BlackHole,

    /// <summary>Nothing arrives, either way, and everything does in the end.</summary>
    Stall,

    /// <summary>The connection is cut between the first write that the server applied and its reply.</summary>
    CutAfterWrite,

    /// <summary>The master of a Sentinel group is killed.</summary>
    FailOver,

    /// <summary>A master of a Cluster is killed.</summary>
    KillClusterNode,

    /// <summary>The primary and its replica change places, with nothing lost, and no connection ends.</summary>
    Demote,

    /// <summary>The slot of a lock moves to another master of a Cluster, key by key.</summary>
    MoveSlot,

    /// <summary>The server's clock is set forward by more than a lease.</summary>
    SetClockForward,

    /// <summary>The server's clock is set back.</summary>
    SetClockBack,

    /// <summary>The work under a lock stands still, and its process runs on.</summary>
    Hang,

    /// <summary>An operator asks who holds a lock to step down.</summary>
    StepDown,

    /// <summary>The node of a worker is drained, and resumed.</summary>
    Drain,

    /// <summary>pg_terminate_backend of all connections of one worker.</summary>
    TerminateHolder,

    /// <summary>pg_terminate_backend of all connections.</summary>
    TerminateAll,

    /// <summary>PostgreSQL is ended by pg_ctl stop -m immediate, and started again.</summary>
    StopImmediately,

    /// <summary>A process of the server dies by SIGKILL: the server ends all others, recovers and goes on.</summary>
    CrashBackend,

    /// <summary>The server's disk is full.</summary>
    FillDisk,

    /// <summary>Another session has a lock's row locked.</summary>
    LockRow,

    /// <summary>Each commit takes a tenth of a second.</summary>
    SlowCommit,

    /// <summary>The primary is cut off from its standby and dies, and the standby is promoted.</summary>
    Promote,

    /// <summary>The same, and an operator cancels commits that wait for the standby before the primary dies.</summary>
    CancelAndPromote,

    /// <summary>A worker suspends itself inside a transaction that its lease guards.</summary>
    SuspendInTransaction,
}
