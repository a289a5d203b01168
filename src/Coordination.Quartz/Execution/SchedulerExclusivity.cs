using Coordination.Occurrences;
using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quartz.Extensibility;

namespace Coordination.Quartz.Execution;

/// <summary>
/// What makes the jobs of one scheduler exclusive. It is put together when Quartz asks for the first of its parts, with the services that Quartz has
/// for listeners: those of a scheduler that is added while the host runs have the application's services behind them, which its own container has not.
/// </summary>
internal sealed class SchedulerExclusivity(ExclusiveScheduler scheduler) : IDisposable
{
    private readonly Lock _gate = new();
    private RunPlaces? _places;
    private Parts? _parts;
    private RunsAtEnd? _atEnd;

    public StartCheck CheckOf(IServiceProvider services) => PartsFrom(services).Check;

    public KeyCheck KeysOf(IServiceProvider services) => PartsFrom(services).Keys;

    public ExclusivityGate GateOf(IServiceProvider services) => PartsFrom(services).Gate;

    public ExclusivityListener ListenerOf(IServiceProvider services) => PartsFrom(services).Listener;

    public ExclusivityMiddleware MiddlewareOf(IServiceProvider services) => PartsFrom(services).Middleware;

    public AbandonedFires AbandonedFiresOf(IServiceProvider services) => new(GateOf(services));

    public SchedulerShutdown Shutdown { get; } = new();

    /// <summary>Takes the scheduler's thread pool.</summary>
    public IThreadPool Take(IThreadPool pool)
    {
        _places = pool as RunPlaces;
        return pool;
    }

    public void Dispose()
    {
        Shutdown.Begin();
        _atEnd?.Remove(Shutdown);
    }

    private Parts PartsFrom(IServiceProvider services)
    {
        lock (_gate)
        {
            return _parts ??= Build(services);
        }
    }

    /// <exception cref="InvalidOperationException">The application has not called <c>AddQuartzExclusivity</c>.</exception>
    private Parts Build(IServiceProvider services)
    {
        var telemetry = services.GetRequiredService<TelemetryDispatcher>();
        var logger = telemetry.Wrap(services.GetRequiredService<ILogger<ExclusivityGate>>());
        var locks = services.GetService<OccurrenceLocks>() ?? throw new InvalidOperationException(
            "Jobs are exclusive by the locks of the node without a name, which is not registered: call services.AddCoordination() and choose its store, as by UseRedis(…) or UsePostgreSql(…).");
        var runs = services.GetService<ExclusiveRuns>() ?? throw new InvalidOperationException(
            $"The scheduler {scheduler.Name} is added while the host runs, and its jobs are to be exclusive: call AddQuartzExclusivity() on what AddCoordination() returns as well, so that the host awaits their runs when it stops.");
        var time = services.GetRequiredService<TimeProvider>();
        var options = OptionsFrom(services);
        var policies = new ExclusivePolicies(options, services.GetRequiredService<ILockStore>());
        var settings = services.GetRequiredService<IOptions<CoordinationOptions>>().Value;
        var names = new SchedulerNames(settings.ApplicationName, new RegisteredContent(QuartzRecord.Find(services, scheduler.Name)));
        var (node, administration) = (services.GetRequiredService<ILockProvider>().NodeId, services.GetRequiredService<ILockStoreAdministration>());
        var fireTimes = new FireTimes(node, names);
        var report = new FireReport(services.GetRequiredService<FireMetrics>(), options.NameJobsInMetrics, logger);
        var admission = new RunAdmission(
            locks,
            new RunLock(locks, services.GetRequiredService<CapacityConflicts>(), time),
            new OutageLook(administration, time),
            new SeriesLook(locks),
            services.GetRequiredService<JobOutage>(),
            new WaitingRuns(() => _places),
            new FireStanding(time),
            Shutdown,
            time,
            logger);
        var keys = new KeyCheck(policies, names, logger);
        var gate = new ExclusivityGate(
            admission,
            policies,
            fireTimes,
            runs,
            report,
            new ChainGuard(),
            keys,
            new FireHandBack(services.GetService<IJobStore>(), time),
            new OtherNodesLook(locks, administration, node, time),
            settings.LeaseDuration,
            logger);

        // After the locks: what a container makes last it disposes first.
        _atEnd = services.GetRequiredService<RunsAtEnd>();
        _atEnd.Add(Shutdown);
        return new Parts(
            new StartCheck(new ScheduleCheck(policies, names, () => _places is null, logger), scheduler.IsOfApplication, logger),
            keys,
            gate,
            new ExclusivityListener(gate, fireTimes, report),
            new ExclusivityMiddleware(gate, locks, Shutdown, time, logger));
    }

    private QuartzExclusivityOptions OptionsFrom(IServiceProvider services)
    {
        if (scheduler.IsOfApplication)
        {
            return services.GetRequiredService<IOptionsMonitor<QuartzExclusivityOptions>>().Get(scheduler.Name);
        }

        var options = services.GetRequiredService<IOptionsFactory<QuartzExclusivityOptions>>().Create(scheduler.Name);
        scheduler.Configure.ForEach(configure => configure(options));
        var faults = services.GetServices<IValidateOptions<QuartzExclusivityOptions>>().SelectMany(validate => validate.Validate(scheduler.Name, options).Failures ?? []).ToList();
        return faults.Count == 0 ? options : throw new OptionsValidationException(scheduler.Name, typeof(QuartzExclusivityOptions), faults);
    }

    private sealed record Parts(StartCheck Check, KeyCheck Keys, ExclusivityGate Gate, ExclusivityListener Listener, ExclusivityMiddleware Middleware);
}
