using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Names;

/// <summary>What nobody named is the application's own, the scheduler's and the job's.</summary>
public sealed class OwnNameTests : NodesTest
{
    private readonly InMemoryLockStore _store = new();

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task Two_schedulers_of_one_host_with_equal_keys_have_their_own_locks_and_fire_times()
    {
        var builder = TestScheduler.CreateBuilder(Ledger, "ada");
        builder.Services.AddCoordination().UseInMemory(_store).AddQuartzExclusivity();
        builder.Services.AddQuartz("one", AddJob);
        builder.Services.AddQuartz("two", AddJob);
        using var host = builder.Build();
        var stage = Hold(host.Services);
        var time = DateTimeOffset.UtcNow;
        foreach (var name in (string[])["one", "two"])
        {
            var scheduler = await host.Services.GetRequiredKeyedService<ISchedulerFactory>(name).GetScheduler(Cancellation);
            await scheduler.Start(Cancellation);
            await FireAsync(scheduler, time);
        }

        await UntilAsync(() => stage.Calls == 2, "both run at once");
        Assert.Equal(["tests/one/DEFAULT/staged", "tests/two/DEFAULT/staged"], (await _store.ListAsync(null, Cancellation)).LockNames.Order());
        stage.LetGo();
        await UntilAsync(() => Ledger.Runs.All(run => run.EndedAt is not null), "both are over");
    }

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task Two_applications_on_one_store_have_locks_and_fire_times_of_their_own()
    {
        var (shop, warehouse, time) = (await StartAsync("shop"), await StartAsync("warehouse"), DateTimeOffset.UtcNow);
        Hold(shop.Services);
        await FireAsync(shop.Quartz, time);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the first runs");
        await FireAsync(warehouse.Quartz, time);
        await UntilAsync(() => warehouse.Verdicts.All.Count == 1, "the second is over");

        Assert.False(warehouse.Verdicts.All[0].IsSkipped);
        Assert.NotNull(await _store.GetHolderAsync("shop/QuartzScheduler/DEFAULT/staged", Cancellation));
    }

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task Two_applications_share_a_lock_that_the_user_named_and_no_fire_times()
    {
        var (shop, warehouse, time) = (await StartAsync("shop", Name), await StartAsync("warehouse", Name), DateTimeOffset.UtcNow);
        var stage = Hold(shop.Services);
        await FireAsync(shop.Quartz, time);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the first runs");
        await FireAsync(warehouse.Quartz, time);
        await UntilAsync(async () => (await _store.InspectAsync("imports", 10, Cancellation)).Waiters.Count == 1, "the second waits");
        stage.LetGo();
        await UntilAsync(() => warehouse.Verdicts.All.Count == 1, "the second is over");

        Assert.False(warehouse.Verdicts.All[0].IsSkipped);
        Ledger.AssertOneAtATime();

        static void Name(QuartzExclusivityOptions options) => options.ForJob(Job, job => (job.Name, job.OnConflict, job.MaxWait) = ("imports", JobConflictAction.Wait, Bound));
    }

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task Keys_whose_group_and_name_read_alike_together_are_different_jobs()
    {
        JobKey[] jobs = [new("c", "a.b"), new("b.c", "a"), new("b/c", "a"), new("c", "a/b")];
        var node = await StartAsync("shop", schedule: quartz =>
        {
            foreach (var job in jobs)
            {
                quartz.AddJob<StagedJob>(configurator => configurator.WithIdentity(job).StoreDurably());
            }
        });
        var stage = Hold(node.Services);
        foreach (var job in jobs)
        {
            await node.Quartz.TriggerJob(job, Cancellation);
        }

        await UntilAsync(() => stage.Calls + node.Verdicts.All.Count == jobs.Length, "all run, or are skipped");
        Assert.Empty(node.Verdicts.All);
    }

    [Fact]
    [Promise("G11", "G13")]
    [Failure("F70")]
    public async Task Keys_whose_group_and_name_read_alike_together_are_different_triggers()
    {
        var (node, time) = (await StartAsync("shop"), DateTimeOffset.UtcNow);
        TriggerKey[] triggers = [new("c", "a.b"), new("b.c", "a"), new("c", "a/b"), new("b/c", "a")];
        foreach (var (index, trigger) in triggers.Index())
        {
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity(trigger).StartAt(time).Build(), cancellationToken: Cancellation);
            await UntilAsync(() => node.Verdicts.All.Count == index + 1, "the fire is over");
        }

        Assert.DoesNotContain(node.Verdicts.All, verdict => verdict.IsSkipped);
        Assert.Equal(triggers.Length, Ledger.Runs.Count);
    }

    [Fact]
    [Failure("F70")]
    public async Task A_job_whose_name_would_be_too_long_for_a_lock_is_exclusive_all_the_same()
    {
        var long1 = new JobKey(new string('x', 600) + "1");
        var long2 = new JobKey(new string('x', 600) + "2");
        var node = await StartAsync("shop", options => options.Defaults.OnConflict = JobConflictAction.Skip, quartz => quartz
            .AddJob<StagedJob>(job => job.WithIdentity(long1).StoreDurably())
            .AddJob<StagedJob>(job => job.WithIdentity(long2).StoreDurably()));
        var stage = Hold(node.Services);
        await node.Quartz.TriggerJob(long1, Cancellation);
        await UntilAsync(() => stage.Calls == 1, "it runs");
        await node.Quartz.TriggerJob(long1, Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the second run of it is skipped");
        Assert.True(node.Verdicts.All[0].IsSkipped);
        await node.Quartz.TriggerJob(long2, Cancellation);
        await UntilAsync(() => stage.Calls == 2, "the other runs beside it");
    }

    [Fact]
    [Failure("F70")]
    public async Task An_application_that_has_no_name_does_not_start_with_a_job_that_has_none()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(null));
        Assert.Contains("Coordination:ApplicationName", failure.Message, StringComparison.Ordinal);
        Assert.Contains("DEFAULT.staged", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F70")]
    public async Task A_scheduler_that_is_named_by_its_machine_is_warned_of()
    {
        var node = await StartAsync("shop", schedule: quartz => AddJob(quartz.ConfigureScheduler(o => o.InstanceName = "reports on " + Environment.MachineName)));
        Assert.Contains("InstanceId", Assert.Single(node.Log, record => record.Id.Id == 1331).Message, StringComparison.Ordinal);
        Assert.DoesNotContain((await StartAsync("shop")).Log, record => record.Id.Id == 1331);
    }

    private static void AddJob(IQuartzBuilder quartz) => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());

    private static Stage Hold(IServiceProvider services)
    {
        var stage = services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        return stage;
    }

    private static async Task FireAsync(IScheduler scheduler, DateTimeOffset time) =>
        await scheduler.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity("once").StartAt(time).Build(), cancellationToken: Cancellation);

    private async Task<TestScheduler> StartAsync(string? application, Action<QuartzExclusivityOptions>? exclusivity = null, Action<IQuartzBuilder>? schedule = null)
    {
        var node = await TestScheduler.StartAsync(
            _store, Ledger, "ada", schedule ?? AddJob, exclusivity, services: services => services.Configure<CoordinationOptions>(o => o.ApplicationName = application));
        Nodes.Add(node);
        return node;
    }
}
