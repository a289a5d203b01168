using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Servers;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>
/// A fire that Quartz itself recovers, from a store that outlived the process. Quartz refuses SQLite with clustering, so the next process takes the
/// scheduler over, as after a crash of the only node; to the job it is the same.
/// </summary>
public sealed class RecoveryTests(AnyServerFixture redis) : ClusterTest(redis)
{
    [Theory]
    [Failure("F76")]
    [Promise("G11")]
    [InlineData(null)]
    [InlineData(JobConflictAction.Skip)]
    public async Task A_recovered_fire_waits_for_the_lease_of_the_process_that_was_killed(JobConflictAction? onConflict)
    {
        var folder = Directory.CreateTempSubdirectory("coordination-quartz-");
        var database = Path.Combine(folder.FullName, "jobs.db");
        var worker = PersistentWorker.Start(Redis, Prefix, "worker", database);
        try
        {
            await worker.RunsAsync();
            await worker.KillAsync();
            Assert.True(await IsHeldAsync(PersistentWorker.LockName), "The lease of the process that was killed is left.");
            var node = await StartAsync("next", quartz => PersistentWorker.Schedule(quartz, database), options => options.Defaults.OnConflict = onConflict);
            await Until(() => node.Verdicts.All.Count == 1, "the fire is recovered");

            Assert.False(node.Verdicts.All[0].IsSkipped);
            Assert.NotNull(Assert.Single(Ledger.Runs).Token);
            await node.StopAsync();
        }
        finally
        {
            await worker.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }
}
