using Coordination.Chaos.Workers;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Coordination.Chaos.Contenders;

/// <summary>This project's lock, sound or broken on purpose.</summary>
internal sealed class CoordinationContender : IContender
{
    private readonly ServiceProvider _services;
    private readonly ILockProvider _locks;
    private readonly WorkerOptions _options;
    private readonly RawLock _raw;

    public CoordinationContender(WorkerOptions options, WorkerSignals signals)
    {
        _options = options;
        _raw = new RawLock(options);
        var services = new ServiceCollection().AddSingleton(options.Contender == ContenderKind.SuspensionUnnoticed ? new ClockWithoutDate() : signals.Clock as TimeProvider);
        Register(services, options, signals);
        _services = services.BuildServiceProvider();
        _locks = _services.GetRequiredService<ILockProvider>();
    }

    /// <summary>A node as an application registers it, but for what is broken and what a signal suspends.</summary>
    public static ICoordinationBuilder Register(IServiceCollection services, WorkerOptions options, WorkerSignals signals)
    {
        // A provider that is handed in is not disposed with the container.
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(signals.Sinks));
        var coordination = services
            .AddCoordination(o => (o.LeaseDuration, o.RenewalInterval, o.SafetyMargin, o.ClaimWindow, o.NodeName) = (options.Lease, options.RenewalInterval, options.Margin, options.ClaimWindow, options.Process))
            .UseRedis(options.Redis, o => o.KeyPrefix = options.Prefix);

        // Each around the store as it was registered before.
        Wrap(services, (inner, _) => new SuspendingStore(inner, signals));
        Wrap(services, (inner, _) => new DeafStore(inner, signals));
        switch (options.Contender)
        {
            case ContenderKind.DeadlineFromReply:
                services.AddSingleton<ReplyTimes>();
                Wrap(services, (inner, provider) => new ReplyTimingStore(inner, provider.GetRequiredService<ReplyTimes>()));
                break;
            case ContenderKind.RenewalThatRecreates:
                Wrap(services, (inner, _) => new RecreatingStore(inner, new RawLock(options)));
                break;
            case ContenderKind.NotificationAlone:
                Wrap(services, (inner, _) => new TrustingStore(inner));
                break;
            case ContenderKind.TelemetryOnWatchdog:
                Wrap(services, (inner, _) => new TellingStore(inner, signals.Sinks));
                break;
            case ContenderKind.RefusalAsSuccess:
                Wrap(services, (inner, _) => new DisobedientStore(inner));
                break;
            case ContenderKind.PartitionsUnlocked:
                Wrap(services, (inner, _) => new UnlockedPartitionStore(inner));
                break;
        }

        return coordination;
    }

    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken)
    {
        if (share is not null)
        {
            return await AcquireAsync(lockName, share.Value, cancellationToken);
        }

        // An owner of its own, to re-enter as.
        var wanted = _locks.GetLock(lockName, new LockOptions { ProgressTimeout = _options.Contender == ContenderKind.ProgressUnasked ? null : _options.ProgressTimeout }).WithOwner(_locks.CreateOwner());
        var lease = await wanted.AcquireAsync(cancellationToken);
        IHolding holding = new Holding(wanted, lease);
        return _options.Contender switch
        {
            ContenderKind.DeadlineFromReply => new LateDeadlineHolding(holding, lockName, _services.GetRequiredService<ReplyTimes>(), _options.Lease - _options.Margin),
            ContenderKind.TokenByClock => new ClockTokenHolding(holding, await _raw.TimeAsync()),
            ContenderKind.ReleaseOfAnyones => new HeedlessHolding(holding, lockName, _raw),
            ContenderKind.StepDownUnheard => new UnheardStepDown(holding),
            ContenderKind.StepDownBeforeWork => new HastyStepDown(holding),
            ContenderKind.WrongSuccessor => new WrongSuccessor(holding),
            _ => holding,
        };
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private async Task<IHolding> AcquireAsync(string lockName, LockShareKind share, CancellationToken cancellationToken)
    {
        var isBroken = _options.Contender == ContenderKind.BeyondCapacity;
        if (share == LockShareKind.Permit)
        {
            var permits = Capacities.Of(lockName).Permits + (isBroken ? 1 : 0);
            return new ShareHolding(null, await _locks.GetSemaphore(lockName, permits).AcquireAsync(cancellationToken));
        }

        var readerWriter = _locks.GetReaderWriterLock(lockName);
        var wanted = share switch
        {
            LockShareKind.UpgradeableRead => readerWriter.UpgradeableRead,
            LockShareKind.Write when !isBroken => readerWriter.Write,
            _ => readerWriter.Read,
        };
        return new ShareHolding(readerWriter, await wanted.AcquireAsync(cancellationToken));
    }

    private static void Wrap(IServiceCollection services, Func<ILockStore, IServiceProvider, ILockStore> wrap)
    {
        var before = services.Last(service => service.ServiceType == typeof(ILockStore)).ImplementationFactory!;
        services.Replace(ServiceDescriptor.Singleton(provider => wrap((ILockStore)before(provider), provider)));
    }

    private sealed class ShareHolding(IReaderWriterLock? readerWriter, ILockLease lease) : IHolding
    {
        public long? Token => lease.FencingToken;

        public int? Permit => lease.Permit;

        public CancellationToken Lost => lease.Lost;

        public async Task<IHolding?> UpgradeAsync(CancellationToken cancellationToken) =>
            new ShareHolding(null, await readerWriter!.Upgrade(lease).AcquireAsync(cancellationToken));

        public async Task<string> ReleaseAsync() => (await lease.ReleaseAsync()).ToString();
    }

    private sealed class Holding(ILock wanted, ILockLease lease) : IHolding
    {
        public long? Token => lease.FencingToken;

        public CancellationToken Lost => lease.Lost;

        public LeaseLossReason? LossReason => lease.LossReason;

        public CancellationToken StepDownRequested => lease.StepDownRequested;

        public string? Successor => lease.StepDownRequest?.Successor;

        public void ReportProgress() => lease.ReportProgress();

        public async Task<long?> ReenterAsync()
        {
            await using var again = await wanted.TryAcquireAsync(lease.Lost);
            return again?.FencingToken;
        }

        public async Task<string> ReleaseAsync() => (await lease.ReleaseAsync()).ToString();

        public async Task<string> ReleaseInTurnAsync() => (await lease.ReleaseAsync(successor: null)).ToString();

        public async Task<string> ReleaseToAsync(string successor) => (await lease.ReleaseAsync(successor)).ToString();
    }
}
