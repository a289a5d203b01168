using Coordination.Quartz.Tests.Jobs;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A process whose jobs are kept in a file: it begins its job, and holds on to it until it is killed.</summary>
internal static class PersistentWorker
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Command = "persistent-worker";

    public static WorkerProcess Start(string redis, string prefix, string name, string database) => WorkerProcess.Start(Command, redis, prefix, name, database);

    /// <summary>What the scheduler is called, on every node and in the names of its locks.</summary>
    private const string Scheduler = "persistent";

    /// <summary>The lock of its job.</summary>
    public const string LockName = $"{TestScheduler.Application}/{Scheduler}/DEFAULT/staged";

    /// <summary>Keeps the jobs of a scheduler in a file. A node recovers those of its own id alone, as nodes do that are no cluster.</summary>
    public static IQuartzBuilder UseFile(IQuartzBuilder quartz, string database) => quartz
        .ConfigureScheduler(o => (o.InstanceName, o.InstanceId) = (Scheduler, Scheduler))
        .UsePersistentStore(store => store
            .UseSqlite($"Data Source={database};Pooling=False")
            .ConfigureStore(o => o.SchemaProvisioning = SchemaProvisioning.CreateIfMissing));

    /// <summary>The job as it is kept: it is to be recovered.</summary>
    public static void Schedule(IQuartzBuilder quartz, string database) => UseFile(quartz, database)
        .AddJob<StagedJob>(job => job.WithIdentity("staged").StoreDurably().RequestRecovery());

    public static Task<int> RunAsync(string[] words) => WorkerProcess.RunAsync(
        words,
        quartz => Schedule(quartz, words[3]),
        _ => { },
        async scheduler => await scheduler.ScheduleJob(TriggerBuilder.Create().ForJob("staged").WithIdentity("once").StartNow().Build()));
}
