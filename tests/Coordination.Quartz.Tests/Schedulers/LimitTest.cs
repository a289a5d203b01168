using Coordination.Occurrences;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A test with several schedulers of this process that have a job which runs twice at a time, and with somebody else who uses its lock.</summary>
public abstract class LimitTest : NodesTest
{
    protected const string LockName = "tests/QuartzScheduler/DEFAULT/limited";

    protected static readonly JobKey Limited = new("limited");

    private static readonly TimeSpan EndingLease = TimeSpan.FromSeconds(6);

    private readonly List<ServiceProvider> _others = [];

    private protected InMemoryLockStore Store { get; } = new();

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        foreach (var other in _others)
        {
            await other.DisposeAsync();
        }
    }

    /// <summary>Starts a node that has the job, and has it hold on to its runs.</summary>
    private protected async Task<TestScheduler> StartAsync(
        string name,
        Action<ExclusiveJobOptions>? configure = null,
        ILockStore? store = null,
        Action<IQuartzBuilder>? schedule = null,
        bool holds = true)
    {
        var node = await TestScheduler.StartAsync(
            store ?? Store,
            Ledger,
            name,
            quartz =>
            {
                quartz.ConfigureScheduler(o => o.ShutdownJobInterruption = ShutdownJobInterruption.Always).AddJob<LimitedJob>(job => job.WithIdentity(Limited).StoreDurably());
                schedule?.Invoke(quartz);
            },
            options => options.ForJob<LimitedJob>(job =>
            {
                // One that is cut off does so to lose its lease.
                job.LeaseDuration = store is CutOffStore ? EndingLease : job.LeaseDuration;
                configure?.Invoke(job);
            }));
        Nodes.Add(node);
        var stage = StageOf(node);
        stage.Act = holds ? (_, cancellationToken) => stage.HoldAsync(cancellationToken) : null;
        return node;
    }

    private protected static Stage StageOf(TestScheduler node) => node.Services.GetRequiredService<Stage>();

    private protected static void Recover(ExclusiveJobOptions job) => job.OnCrash = JobCrashAction.Recover;

    /// <summary>Fires once: no later fire follows.</summary>
    private protected static async Task FireAsync(TestScheduler node, string trigger, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Limited).WithIdentity(trigger).StartAt(time).Build(), cancellationToken: Cancellation);

    /// <summary>Fires at once, and then hour by hour: a later fire follows.</summary>
    private protected static async Task FireOfSeriesAsync(TestScheduler node, string trigger, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Limited).WithIdentity(trigger).StartAt(time).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromHours(1)).RepeatForever()).Build(), cancellationToken: Cancellation);

    /// <summary>Another user of the lock, with a node of its own.</summary>
    private protected async Task<ILockLease> TakeAsync(LockShare? share, CancellationToken cancellationToken)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddCoordination().UseInMemory(Store);
        var provider = services.BuildServiceProvider();
        _others.Add(provider);
        var attempt = await provider.GetRequiredService<OccurrenceLocks>().AcquireAsync(LockName, share, options: null, occurrence: null, Timeout.InfiniteTimeSpan, cancellationToken);
        return attempt.Lease!;
    }

    private protected Task<LockInspection> InspectAsync() => Store.InspectAsync(LockName, 10, Cancellation);

    private protected Task UntilWaitersAsync(int count) => UntilAsync(async () => (await InspectAsync()).Waiters.Count == count, $"{count} wait");

    private protected static Task UntilToldAsync(TestScheduler node, int id, int times = 1) => UntilAsync(() => Told(node, id) == times, $"{id} is told {times} times");

    private protected static int Told(TestScheduler node, int id) => node.Log.Count(record => record.Id.Id == id);
}
