using Coordination.Chaos.Workers;
using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>Which kinds of lock there are, and what each of them claims.</summary>
internal static class Contender
{
    /// <summary>What must be caught.</summary>
    public static IReadOnlyList<ContenderKind> Broken { get; } =
    [
        ContenderKind.DeadlineFromReply, ContenderKind.ReleaseOfAnyones, ContenderKind.RenewalThatRecreates, ContenderKind.NoFence, ContenderKind.NotificationAlone, ContenderKind.TelemetryOnWatchdog, ContenderKind.RefusalAsSuccess, ContenderKind.SuspensionUnnoticed,
        ContenderKind.TokenByClock, ContenderKind.BeyondCapacity, ContenderKind.StepDownUnheard, ContenderKind.StepDownBeforeWork, ContenderKind.WrongSuccessor, ContenderKind.ProgressUnasked,
        ContenderKind.DrainThatContends, ContenderKind.PartitionsUnlocked,
        ContenderKind.GuardOmitted, ContenderKind.StandbyUnasked, ContenderKind.QueueIgnored,
        ContenderKind.SetNx, ContenderKind.RenewalOfAnyones, ContenderKind.SessionLock, ContenderKind.PooledSessionLock,
    ];

    /// <summary>Whether grants carry tokens, and waiters are served in turn and within the lease.</summary>
    public static bool IsOurs(ContenderKind kind) => kind < ContenderKind.SetNx;

    /// <summary>Whether a waiter is to be served within the lease from when a lock is free. Nobody promises it for DistributedLock and RedLock, which try now and then.</summary>
    public static bool Serves(ContenderKind kind) => IsOurs(kind) || kind == ContenderKind.PooledSessionLock;

    /// <summary>Whether it needs PostgreSQL, or Redis; null for what works on either.</summary>
    public static bool? NeedsPostgreSql(ContenderKind kind) => kind switch
    {
        ContenderKind.GuardOmitted or ContenderKind.StandbyUnasked or >= ContenderKind.DistributedLockPostgres => true,
        ContenderKind.ReleaseOfAnyones or ContenderKind.RenewalThatRecreates or ContenderKind.TokenByClock or ContenderKind.RefusalAsSuccess or >= ContenderKind.SetNx => false,
        _ => null,
    };

    public static async Task<IContender> CreateAsync(WorkerOptions options, WorkerSignals signals) => options.Contender switch
    {
        ContenderKind.SetNx => new SetNxContender(await ConnectAsync(options), options.Lease),
        ContenderKind.DistributedLock => new DistributedLockContender(await ConnectAsync(options), options.Lease),
        ContenderKind.DistributedLockPostgres => new DistributedLockPostgresContender(options.Server),
        ContenderKind.RenewalOfAnyones => new RenewalOfAnyonesContender(options),
        ContenderKind.SessionLock => new SessionLockContender(options.Server),
        ContenderKind.PooledSessionLock => new PooledSessionLockContender(options.Server),
        ContenderKind.RedLock => new RedLockContender(await ConnectAsync(options), options.Lease),
        _ => new CoordinationContender(options, signals),
    };

    private static async Task<ConnectionMultiplexer> ConnectAsync(WorkerOptions options)
    {
        var settings = ConfigurationOptions.Parse(options.Server);
        settings.AbortOnConnectFail = false;
        return await ConnectionMultiplexer.ConnectAsync(settings);
    }
}
