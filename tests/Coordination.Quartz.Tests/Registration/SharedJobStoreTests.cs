using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Registration;

/// <summary>What is said when the host starts of jobs in a store that nodes share.</summary>
[Failure("F82")]
public sealed class SharedJobStoreTests
{
    [Theory]
    [InlineData(true, true, false, true)]
    [InlineData(true, false, false, true)]
    [InlineData(true, true, true, false)]
    [InlineData(false, false, false, false)]
    public async Task Recovery_by_other_nodes_is_warned_of_where_each_fire_comes_to_one_node_only(bool isKept, bool isClustered, bool requestsRecovery, bool isWarnedOf)
    {
        await using var node = await TestScheduler.StartAsync(
            new InMemoryLockStore(),
            new Ledger(),
            "ada",
            quartz =>
            {
                if (isKept)
                {
                    quartz.UseJobStore(services => SharedJobStore.Create(services, isClustered));
                }

                quartz.AddJob<StagedJob>(job => job.WithIdentity("staged").StoreDurably().RequestRecovery(requestsRecovery));
            },
            options => options.Defaults.OnCrash = JobCrashAction.Recover);

        var warned = node.Log.Where(record => record.Id.Id == 1352).ToList();
        Assert.Equal(isWarnedOf ? 1 : 0, warned.Count);
        Assert.All(warned, record => Assert.Equal(LogLevel.Warning, record.Level));
        Assert.All(warned, record => Assert.Contains("RequestRecovery()", record.Message, StringComparison.Ordinal));
    }
}
