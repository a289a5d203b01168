using Coordination.Quartz.Tests.Jobs;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A process whose jobs are kept in a file: it begins its job, and holds on to it until it is killed.</summary>
internal static class PersistentWorker
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Command = "persistent-worker";

    public static WorkerProcess Start(string redis, string prefix, string name, string database) => WorkerProcess.Start(Command, redis, prefix, name, database);

    /// <summary>Keeps the jobs of a scheduler in a file.</summary>
    public static IQuartzBuilder UseFile(IQuartzBuilder quartz, string database) => quartz
        .ConfigureScheduler(o => o.InstanceName = "persistent")
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
