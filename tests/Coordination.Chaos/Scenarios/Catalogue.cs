using Coordination.Chaos.Faults;
using Coordination.Chaos.Workers;

namespace Coordination.Chaos.Scenarios;

/// <summary>The scenarios, each fault alone first, and what a suite of tests runs of those together.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("calm", "nothing happens"),
        new("kill", "workers die by SIGKILL and are started again", FaultKind.Kill) { Pause = 1.5, Brief = TimeSpan.FromSeconds(12), IsPartOfAnother = true },
        new("terminate", "workers end on SIGTERM and are started again", FaultKind.Terminate) { IsPartOfAnother = true },
        new("pause-short", "workers are stopped by SIGSTOP for less than the lease", FaultKind.PauseShort) { IsPartOfAnother = true },
        new("pause-long", "workers are stopped by SIGSTOP for more than the lease", FaultKind.PauseLong) { Brief = TimeSpan.FromSeconds(12), IsPartOfAnother = true },
        new("suspend-in-release", "workers are suspended with a release under way", FaultKind.SuspendInRelease) { IsPartOfAnother = true },
        new("suspend-in-claim", "workers are suspended with a claim under way", FaultKind.SuspendInClaim) { IsPartOfAnother = true },
        new("starved-pool", "every thread of a worker's pool is blocked", FaultKind.StarvePool) { IsPartOfAnother = true },
        new("clock-jump", "the wall clock of one worker jumps by up to two days", FaultKind.ShiftClock) { IsPartOfAnother = true },
        new("deaf", "notifications do not reach workers", FaultKind.Deafen) { Locks = 4, Pause = 1.2, MaxHold = 0.2, Brief = TimeSpan.FromSeconds(8) },
        new("sinks", "logs, metrics and traces throw and block, while workers die and the server replies to nobody", [FaultKind.SinksThrow, FaultKind.Kill, FaultKind.PauseClients, .. Enumerable.Repeat(FaultKind.SinksBlock, 8)])
        {
            Locks = 4,
            Pause = 0.15,
            MaxHold = 5,
            Brief = TimeSpan.FromSeconds(8),
        },
        new("restart-journaled", "Redis is killed and started again with all its data", FaultKind.RestartServer) { Server = ServerKind.Journaled, Pause = 1.2 },
        new("restart-empty", "Redis is killed and started again with none of its data", FaultKind.RestartServer) { Pause = 1.2, IsPartOfAnother = true },
        new("flush-all", "FLUSHALL", FaultKind.FlushAll) { IsPartOfAnother = true },
        new("flush-scripts", "SCRIPT FLUSH", FaultKind.FlushScripts) { Pause = 0.2, IsPartOfAnother = true },
        new("kill-clients", "CLIENT KILL of all connections", FaultKind.KillClients) { IsPartOfAnother = true },
        new("pause-clients", "CLIENT PAUSE", FaultKind.PauseClients) { Pause = 1, IsPartOfAnother = true },
        new("sleep", "DEBUG SLEEP", FaultKind.SleepServer) { Pause = 1, IsPartOfAnother = true },
        new("delete-keys", "DEL of a lock's keys", FaultKind.DeleteKeys) { IsPartOfAnother = true },
        new("out-of-memory", "the server refuses writes, for maxmemory is reached", FaultKind.ExhaustMemory) { Pause = 1, IsPartOfAnother = true },
        new("delay", "the network is slow, and fails in the end", FaultKind.Delay, FaultKind.DelayThenBlackHole, FaultKind.DelayThenBlackHole, FaultKind.DelayThenBlackHole) { Locks = 4, Pause = 1, MaxHold = 4 },
        new("drop-replies", "replies are dropped, requests are not", FaultKind.DropReplies) { IsPartOfAnother = true },
        new("drop-requests", "requests are dropped, replies are not", FaultKind.DropRequests) { IsPartOfAnother = true },
        new("black-hole", "nothing arrives, either way", FaultKind.BlackHole) { IsPartOfAnother = true },
        new("stall", "nothing arrives, either way, until all of it does", FaultKind.Stall) { IsPartOfAnother = true },
        new("cut-after-write", "a connection is cut between the first successful write and its reply", FaultKind.CutAfterWrite) { Pause = 0.3, IsPartOfAnother = true },
        new(
            "processes",
            "workers die, end, stand still and are suspended, their pools are exhausted and their clocks jump",
            FaultKind.Kill, FaultKind.Terminate, FaultKind.PauseShort, FaultKind.PauseLong, FaultKind.SuspendInRelease, FaultKind.SuspendInClaim, FaultKind.StarvePool, FaultKind.ShiftClock)
        {
            Pause = 0.35,
            Brief = TimeSpan.FromSeconds(20),
        },
        new(
            "network",
            "between workers and Redis, either way is dropped, or both, or all is kept back, or cut after a write",
            FaultKind.DropReplies, FaultKind.DropRequests, FaultKind.BlackHole, FaultKind.Stall, FaultKind.CutAfterWrite)
        {
            Pause = 0.35,
            Brief = TimeSpan.FromSeconds(16),
        },
        new(
            "server",
            "Redis loses data, scripts and connections, replies to nobody, refuses writes, and is killed and started again with none of its data",
            FaultKind.FlushAll, FaultKind.DeleteKeys, FaultKind.FlushScripts, FaultKind.KillClients, FaultKind.PauseClients, FaultKind.SleepServer, FaultKind.ExhaustMemory, FaultKind.RestartServer)
        {
            Pause = 0.35,
            Brief = TimeSpan.FromSeconds(20),
        },
        new("failover", "the master of a Sentinel group is killed", FaultKind.FailOver) { Server = ServerKind.Sentinel, Pause = 20, Brief = TimeSpan.FromSeconds(20) },
        new("cluster-node", "a master of a Cluster is killed", FaultKind.KillClusterNode) { Server = ServerKind.Cluster, Pause = 20, Brief = TimeSpan.FromSeconds(20) },
        new("demoted", "the primary behind one address becomes a replica, and no connection ends", FaultKind.Demote, FaultKind.Demote, FaultKind.Demote, FaultKind.Kill) { Server = ServerKind.Pair, Pause = 1.5, MaxHold = 3, Brief = TimeSpan.FromSeconds(12) },
        new("slot-move", "the slot of a lock moves to another master of a Cluster while it is held", FaultKind.MoveSlot) { Server = ServerKind.Masters, Pause = 0.4, MaxHold = 3, Brief = TimeSpan.FromSeconds(8) },
        new("machine-suspended", "workers stand still for more than the lease, and their monotonic clocks with them", FaultKind.SuspendMachine)
        {
            // Long enough, and renewed seldom enough, for a machine that was suspended to be noticed before a renewal says it.
            Lease = TimeSpan.FromSeconds(6),
            RenewalInterval = 0.84,
            Workers = 4,
            Locks = 6,
            Pause = 0.2,
            MaxHold = 3,
            Brief = TimeSpan.FromSeconds(12),
        },

        // Nobody dies in it: what a dead holder or waiter had lasts longer by as much as the clock is set back, which is yet to be bounded by the lease.
        new("clock-steps", "the server's clock is set forward by more than the lease, and back", FaultKind.SetClockForward, FaultKind.SetClockBack, FaultKind.SetClockBack) { Pause = 0.3, MaxHold = 1, Brief = TimeSpan.FromSeconds(8) },
        new("hung", "the work under a lock stands still, while its process renews what it holds", FaultKind.Hang) { Locks = 4, Pause = 0.2, HasLulls = false, Recovery = 1.8, ProgressTimeout = 0.25 },
        new(
            "step-down",
            "an operator asks holders to step down, while requests, replies and notifications are dropped",
            [.. Enumerable.Repeat(FaultKind.StepDown, 24), FaultKind.DropRequests, FaultKind.DropReplies, FaultKind.Deafen])
        {
            Workers = 4,
            Pause = 0.08,
            HasLulls = false,
            MaxHold = 5,
        },
        new(
            "shares",
            "a semaphore, and readers and writers, while workers die and stand still, the network fails and the server restarts with all its data",
            FaultKind.Kill, FaultKind.Kill, FaultKind.Terminate, FaultKind.PauseLong, FaultKind.PauseLong, FaultKind.BlackHole, FaultKind.SuspendInClaim, FaultKind.RestartServer, FaultKind.Deafen,
            FaultKind.KillClients, FaultKind.PauseClients, FaultKind.DropReplies, FaultKind.DropRequests, FaultKind.SuspendInRelease, FaultKind.Stall, FaultKind.CutAfterWrite)
        {
            Workload = Workload.Shares,
            Server = ServerKind.Journaled,
            Workers = 5,
            Pause = 0.25,

            // Long enough for one that is not served to show when those who died are forgotten.
            Recovery = 3.5,
            Brief = TimeSpan.FromSeconds(18),
        },
        new("shares-lost", "a semaphore, and readers and writers, while the server loses data and workers die and stand still", FaultKind.FlushAll, FaultKind.DeleteKeys, FaultKind.RestartServer, FaultKind.Kill, FaultKind.PauseLong)
        {
            Workload = Workload.Shares,
            Workers = 5,
            Pause = 0.3,
            Recovery = 2.5,
            Brief = TimeSpan.FromSeconds(12),
        },
        new(
            "drain",
            "nodes with services are drained and resumed, while workers die and stand still and the network fails",
            [.. Enumerable.Repeat(FaultKind.Drain, 10), FaultKind.Kill, FaultKind.Kill, FaultKind.Terminate, FaultKind.PauseShort, FaultKind.PauseLong, FaultKind.Deafen, FaultKind.BlackHole, FaultKind.KillClients])
        {
            Workload = Workload.Services,
            Workers = 4,
            Pause = 0.2,
            HasLulls = false,
            MaxHold = 0.8,
        },
        new(
            "partitions",
            "workers share the partitions of a service, while they die and stand still, the network fails and the server restarts with all its data",
            FaultKind.Kill, FaultKind.Kill, FaultKind.Terminate, FaultKind.Terminate, FaultKind.PauseShort, FaultKind.PauseLong, FaultKind.BlackHole, FaultKind.KillClients, FaultKind.RestartServer)
        {
            Workload = Workload.Partitions,
            Server = ServerKind.Journaled,
            Workers = 4,
            Locks = 30,
            Pause = 0.3,
            HasLulls = false,

            // Long enough for the shares to be fair again when those who died are forgotten.
            Recovery = 3.4,
        },
        new("quartz", "a Quartz job each second, while workers die and the network fails", FaultKind.Kill, FaultKind.Terminate, FaultKind.PauseLong, FaultKind.KillClients, FaultKind.BlackHole, FaultKind.CutAfterWrite)
        {
            Workload = Workload.Schedule,
            Pause = 2,
            Brief = TimeSpan.FromSeconds(20),
        },
        new("pg-terminate", "PostgreSQL ends the sessions of the holder, and of all (pg_terminate_backend)", FaultKind.TerminateHolder, FaultKind.TerminateHolder, FaultKind.TerminateAll)
        {
            Server = ServerKind.PostgreSql,
            Pause = 0.4,
            Brief = TimeSpan.FromSeconds(7),
        },
        new("pg-restart", "PostgreSQL quits, is stopped at once (pg_ctl stop -m immediate) and loses a process, and recovers", FaultKind.RestartServer, FaultKind.StopImmediately, FaultKind.CrashBackend)
        {
            Server = ServerKind.PostgreSql,
            Pause = 0.8,
            Brief = TimeSpan.FromSeconds(7),
        },
        new("pg-full-disk", "PostgreSQL has no room for its journal", FaultKind.FillDisk) { Server = ServerKind.PostgreSqlOnSmallDisk, Pause = 1, Brief = TimeSpan.FromSeconds(7) },
        new("pg-locked-rows", "another session has the rows of locks locked", FaultKind.LockRow) { Server = ServerKind.PostgreSql, Pause = 0.4, Brief = TimeSpan.FromSeconds(6) },
        new("pg-network", "between workers and PostgreSQL, either way is dropped, or all is kept back, or cut after a commit", FaultKind.DropReplies, FaultKind.DropRequests, FaultKind.BlackHole, FaultKind.Stall, FaultKind.CutAfterWrite)
        {
            Server = ServerKind.PostgreSql,
            Pause = 0.3,
            Brief = TimeSpan.FromSeconds(7),
        },
        new("pg-suspend-in-claim", "workers are suspended with a claim under way: some have sent it, and some have not", FaultKind.SuspendInClaim) { Server = ServerKind.PostgreSql, Pause = 0.4, Brief = TimeSpan.FromSeconds(6) },
        new("pg-slow-commit", "each commit of PostgreSQL takes a tenth of a second, and replies are late", FaultKind.SlowCommit, FaultKind.Delay) { Server = ServerKind.PostgreSql, Pause = 0.5, Brief = TimeSpan.FromSeconds(6) },
        new("pg-guarded", "workers write in transactions that their leases guard, and are suspended inside them and elsewhere", FaultKind.SuspendInTransaction, FaultKind.SuspendInTransaction, FaultKind.SuspendInTransaction, FaultKind.PauseShort)
        {
            Server = ServerKind.PostgreSql,
            Workers = 4,
            Pause = 0.4,
            HasLulls = false,
            MaxHold = 0.6,
            Brief = TimeSpan.FromSeconds(9),
        },
        new("pg-failover", "the primary of PostgreSQL dies, and its synchronous standby is promoted", FaultKind.Promote) { Server = ServerKind.PostgreSqlSynchronous, Locks = 4, Pause = 20, MaxHold = 0.7, Brief = TimeSpan.FromSeconds(8) },
        new("pg-failover-async", "the primary of PostgreSQL dies, and its asynchronous standby is promoted", FaultKind.Promote) { Server = ServerKind.PostgreSqlAsynchronous, Locks = 4, Pause = 20, MaxHold = 0.7, Brief = TimeSpan.FromSeconds(7) },
        new("pg-failover-cancel", "the same as pg-failover, after commits that wait for the standby were cancelled", FaultKind.CancelAndPromote)
        {
            Server = ServerKind.PostgreSqlSynchronous,
            Locks = 4,
            Pause = 20,
            MaxHold = 0.7,
            Brief = TimeSpan.FromSeconds(8),
        },

        // What befell others: the locks that do it are among the contenders.
        new("pg-renewal-of-anyones", "workers are away for more than a lease and renew what is another's by then (oban#1488)", FaultKind.PauseLong, FaultKind.BlackHole) { Server = ServerKind.PostgreSql, Pause = 0.5, Brief = TimeSpan.FromSeconds(6) },
        new("pg-session-lock", "the server ends the sessions of holders that do not look at them (wolverine#2602)", FaultKind.TerminateHolder) { Server = ServerKind.PostgreSql, Pause = 0.4, MaxHold = 3, Brief = TimeSpan.FromSeconds(6), IsPartOfAnother = true },
        new("pg-pooler", "between workers and PostgreSQL is a PgBouncer that gives connections out by transaction; sessions are ended, and the network fails", FaultKind.TerminateHolder, FaultKind.TerminateAll, FaultKind.BlackHole)
        {
            Server = ServerKind.PostgreSqlPooled,
            Pause = 0.8,
            Brief = TimeSpan.FromSeconds(6),
        },
        new("mixed", "all of these, on one server, two at a time and more", [.. Enum.GetValues<FaultKind>().Where(kind => kind < FaultKind.FailOver)]) { Workers = 4, Pause = 0.4, MaxHold = 3, Brief = TimeSpan.FromSeconds(20) },
    ];

    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);
}
