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
        ContenderKind.SetNx,
    ];

    /// <summary>Whether grants carry tokens, and waiters are served in turn and within the lease.</summary>
    public static bool IsOurs(ContenderKind kind) => kind < ContenderKind.SetNx;

    public static async Task<IContender> CreateAsync(WorkerOptions options, WorkerSignals signals) => options.Contender switch
    {
        ContenderKind.SetNx => new SetNxContender(await ConnectAsync(options), options.Lease),
        ContenderKind.DistributedLock => new DistributedLockContender(await ConnectAsync(options), options.Lease),
        ContenderKind.RedLock => new RedLockContender(await ConnectAsync(options), options.Lease),
        _ => new CoordinationContender(options, signals),
    };

    private static async Task<ConnectionMultiplexer> ConnectAsync(WorkerOptions options)
    {
        var settings = ConfigurationOptions.Parse(options.Redis);
        settings.AbortOnConnectFail = false;
        return await ConnectionMultiplexer.ConnectAsync(settings);
    }
}
