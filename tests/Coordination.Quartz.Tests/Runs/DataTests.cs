using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Nothing of this library is in the data that a job sees, and passes on.</summary>
[Failure("F80")]
public sealed class DataTests
{
    private static readonly JobKey Caller = new("caller");
    private static readonly JobKey Called = new("called");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_passes_its_data_on_passes_neither_its_lease_nor_its_settings_on(bool isRefired)
    {
        var (ledger, seen) = (new Ledger(), new List<IReadOnlyCollection<string>>());
        await using var node = await TestScheduler.StartAsync(
            new InMemoryLockStore(),
            ledger,
            "ada",
            quartz =>
            {
                quartz
                    .AddJob<CallingJob>(job => job.WithIdentity(Caller).StoreDurably().UsingJobData("tenant", "north").UsingJobData("Coordination.Tenant", "north").UsingJobData("Coordination.Names", "north").DisallowConcurrentAcrossCluster(o => o.Name = "caller-of-{tenant}"))
                    .AddJob<PlainJob>(job => job.WithIdentity(Called).StoreDurably());
                quartz.Services.AddSingleton(new Calls(async context =>
                {
                    seen.Add([.. context.MergedJobDataMap.Keys]);
                    Assert.Equal("caller-of-north", context.GetLease().LockName);
                    if (isRefired && context.RefireCount == 0)
                    {
                        throw new JobExecutionException("again") { RefireImmediately = true };
                    }

                    await context.Scheduler.TriggerJob(Called, context.MergedJobDataMap, Cancellation);
                }));
            });
        await node.Quartz.TriggerJob(Caller, Cancellation);
        await Eventually.IsTrueAsync(() => ledger.Runs.Count == 1 && node.Verdicts.All.Count == 2, TimeSpan.FromMinutes(1), "both are over");

        Assert.All(node.Verdicts.All, verdict => Assert.Equal(ExecutionOutcome.Succeeded, verdict.Outcome));
        Assert.Equal(isRefired ? 2 : 1, seen.Count);
        Assert.All(seen, keys => Assert.DoesNotContain(keys, key => key is ExclusiveJobData.IsExclusive or ExclusiveJobData.Name));

        // Also keys of the user's own that look like ours.
        Assert.All(seen, keys => Assert.Equal(["Coordination.Names", "Coordination.Tenant", "tenant"], keys.Where(key => key != SchedulerConstants.ManualTrigger).Order(StringComparer.Ordinal)));
        Assert.Null(ledger.Runs[0].Token);
    }
}
