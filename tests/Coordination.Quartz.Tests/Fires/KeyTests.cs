using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>What jobs are called on every node.</summary>
public sealed class KeyTests
{
    private readonly InMemoryLockStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_that_are_named_by_ids_in_a_group_of_their_own_are_not_jobs_without_keys()
    {
        JobKey[] jobs = [new(Guid.NewGuid().ToString(), "tenants"), new(Guid.NewGuid().ToString(), "tenants")];
        await using var node = await TestScheduler.StartAsync(_store, new Ledger(), "ada", quartz =>
        {
            foreach (var job in jobs)
            {
                quartz.AddJob<StagedJob>(configurator => configurator.WithIdentity(job).StoreDurably());
            }
        });
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        foreach (var job in jobs)
        {
            await node.Quartz.TriggerJob(job, Cancellation);
        }

        await Eventually.IsTrueAsync(() => stage.Calls + node.Verdicts.All.Count == 2, TimeSpan.FromMinutes(1), "both run, or one is skipped");
        Assert.Equal(jobs.Select(job => $"tests/QuartzScheduler/tenants/{job.Name}").Order(), (await _store.ListAsync(null, Cancellation)).LockNames.Order());
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1314);
    }

    [Fact]
    public async Task A_host_does_not_start_with_a_job_whose_key_is_no_name_for_a_lock()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => TestScheduler.StartAsync(
            _store, new Ledger(), "ada", quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity("import\ud83d").StoreDurably())));
        Assert.Contains("import", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ExclusiveJobOptions.Name", failure.Message, StringComparison.Ordinal);
    }
}
