using Coordination.Quartz.Names;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Names;

/// <summary>A key that was given counts, whatever it looks like; one that Quartz generated is another on each node.</summary>
public sealed class GivenKeyTests : NodesTest
{
    private readonly InMemoryLockStore _store = new();

    [Fact]
    [Promise("G11", "G13")]
    [Failure("F71")]
    public async Task A_trigger_that_fires_once_under_a_GUID_that_was_given_runs_on_one_of_threeNodes()
    {
        var (trigger, time) = (Guid.NewGuid().ToString(), DateTimeOffset.UtcNow);
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            var node = await StartAsync(name, quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()));
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity(trigger).StartAt(time).Build(), cancellationToken: Cancellation);
            await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        }

        Assert.Single(Ledger.Runs);
    }

    [Theory]
    [Promise("G13")]
    [Failure("F71")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Tenants_whose_jobs_are_called_by_GUIDs_all_run(bool registered)
    {
        JobKey[] tenants = [.. Enumerable.Range(0, 4).Select(_ => new JobKey(Guid.NewGuid().ToString()))];
        var node = await StartAsync("ada", quartz =>
        {
            foreach (var tenant in registered ? tenants : [])
            {
                quartz.AddJob<StagedJob>(job => job.WithIdentity(tenant).StoreDurably());
            }
        });
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        foreach (var tenant in tenants)
        {
            if (!registered)
            {
                await node.Quartz.AddJob(JobBuilder.Create<StagedJob>().WithIdentity(tenant).StoreDurably().Build(), cancellationToken: Cancellation);
            }

            await node.Quartz.TriggerJob(tenant, Cancellation);
        }

        await UntilAsync(() => stage.Calls + node.Verdicts.All.Count == 4, "all run, or are skipped");
        Assert.Empty(node.Verdicts.All);

        // What is scheduled at run time has no record, so a generated key would pass for one that was given.
        Assert.Equal(registered ? 0 : 1, node.Log.Count(record => record.Id.Id == 1332));
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1314);
    }

    /// <summary>Nothing tells whether it was given, so each node runs it, and says so before the first of them does.</summary>
    [Theory]
    [Promise("G11", "G13")]
    [Failure("F71")]
    [InlineData(null, "DEFAULT", true)]
    [InlineData("once", "DEFAULT", false)]
    [InlineData(null, "orders", false)]
    public async Task A_trigger_that_fires_once_is_warned_of_when_it_is_scheduled_without_a_key(string? key, string group, bool isWarnedOf)
    {
        var node = await StartAsync("ada", quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()));
        for (var i = 0; i < 2; i++)
        {
            await node.Quartz.ScheduleJob(
                TriggerBuilder.Create().ForJob(Job).WithIdentity($"{key ?? Guid.NewGuid().ToString()}{(key is null ? "" : i)}", group).StartAt(DateTimeOffset.UtcNow.AddHours(1)).Build(), cancellationToken: Cancellation);
        }

        var told = node.Log.Where(record => record.Id.Id == 1334).ToList();
        Assert.Equal(isWarnedOf ? 1 : 0, told.Count);
        Assert.All(told, record => Assert.Contains(Job.ToString(), record.Message, StringComparison.Ordinal));
        Assert.Empty(node.Verdicts.All);
    }

    [Fact]
    [Failure("F71")]
    public async Task A_job_and_a_trigger_without_keys_are_each_warned_of_when_they_are_scheduled()
    {
        var node = await StartAsync("ada", _ => { });
        await node.Quartz.ScheduleJob(JobBuilder.Create<StagedJob>().Build(), TriggerBuilder.Create().StartAt(DateTimeOffset.UtcNow.AddHours(1)).Build(), cancellationToken: Cancellation);
        Assert.Single(node.Log, record => record.Id.Id == 1332);
        Assert.Single(node.Log, record => record.Id.Id == 1334);
    }

    [Fact]
    [Promise("G11", "G13")]
    [Failure("F71")]
    public async Task Tenants_whose_jobs_and_triggers_are_called_by_GUIDs_all_run_once_for_each_time()
    {
        string[] tenants = [.. Enumerable.Range(0, 4).Select(_ => Guid.NewGuid().ToString())];
        foreach (var name in (string[])["ada", "bob"])
        {
            await StartAsync(name, quartz =>
            {
                foreach (var tenant in tenants)
                {
                    quartz.ScheduleJob<StagedJob>(trigger => trigger.WithIdentity(tenant).WithCronSchedule("* * * * * ?"), job => job.WithIdentity(tenant));
                }
            });
        }

        await UntilAsync(() => Ledger.Runs.Select(run => run.FireTime).Distinct().Count() >= 4, "four fire times were run");
        var times = Ledger.Runs.Select(run => run.FireTime).Distinct().Order().ToList();
        await UntilAsync(() => Nodes.TrueForAll(node => node.Verdicts.All.Count(verdict => verdict.FireTime > times[2]) >= 4), "both nodes have come past the third");
        Ledger.AssertOncePerFireTime();
        Assert.Equal(4, Ledger.Runs.Count(run => run.FireTime == times[1]));
        Assert.Equal(4, Ledger.Runs.Count(run => run.FireTime == times[2]));
    }

    [Fact]
    [Promise("G13")]
    [Failure("F71")]
    public async Task A_host_does_not_start_with_two_jobs_of_one_type_that_were_given_no_keys()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync("ada", quartz => quartz
            .ScheduleJob<StagedJob>(trigger => trigger.WithCronSchedule("0 0 3 * * ?"))
            .ScheduleJob<StagedJob>(trigger => trigger.WithCronSchedule("0 0 4 * * ?"))));
        Assert.Contains(typeof(StagedJob).ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Contains("WithIdentity", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F71")]
    public async Task Quartz_tells_which_keys_it_generated()
    {
        var node = await StartAsync("ada", quartz => quartz
            .AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably())
            .AddJob<InputJob>(job => job.StoreDurably())
            .AddTrigger(trigger => trigger.ForJob(Job).WithCronSchedule("0 0 3 * * ?"))
            .AddTrigger(trigger => trigger.ForJob(Job).WithIdentity(Guid.NewGuid().ToString()).WithCronSchedule("0 0 4 * * ?")));
        var content = new RegisteredContent(QuartzRecord.Find(node.Services, ""));
        Assert.True(content.IsKnown);
        Assert.Equal(typeof(InputJob), Assert.Single(content.JobsWithoutKeys).JobType.Type);
        Assert.Equal("0 0 3 * * ?", Assert.IsType<ICronTrigger>(Assert.Single(content.TriggersWithoutKeys), exactMatch: false).CronExpressionString);
        Assert.True(content.Has(Job));
    }

    [Fact]
    [Failure("F71")]
    public async Task Quartz_tells_it_of_each_of_several_schedulers_and_of_one_without_a_container()
    {
        var builder = TestScheduler.CreateBuilder(Ledger, "ada");
        builder.Services.AddQuartz("one", quartz => quartz.ScheduleJob<StagedJob>(trigger => trigger.WithCronSchedule("0 0 3 * * ?")));
        builder.Services.AddQuartz("two", quartz => quartz.ScheduleJob<StagedJob>(trigger => trigger.WithIdentity("nightly").WithCronSchedule("0 0 3 * * ?")));
        using var host = builder.Build();
        Assert.Single(new RegisteredContent(QuartzRecord.Find(host.Services, "one")).JobsWithoutKeys);
        var named = new RegisteredContent(QuartzRecord.Find(host.Services, "two"));
        Assert.Empty(named.JobsWithoutKeys);
        Assert.True(named.Has(new JobKey("nightly")));

        var stage = new Stage();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await using var factory = QuartzSchedulerBuilder.Create(quartz =>
        {
            quartz.Services.AddSingleton(Ledger).AddSingleton(stage);
            quartz.Services.AddCoordination().UseInMemory(_store);
            quartz.AddQuartzExclusivity().AddJob<StagedJob>(job => job.StoreDurably());
        }).Build();
        var scheduler = await factory.GetScheduler(Cancellation);
        await scheduler.Start(Cancellation);
        await scheduler.TriggerJob((await scheduler.GetJobKeys(GroupMatcher<JobKey>.AnyGroup(), Cancellation)).Single(), Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == 1, "it runs");
        Assert.EndsWith($"/QuartzScheduler/{typeof(StagedJob)}", Assert.Single((await _store.ListAsync(null, Cancellation)).LockNames), StringComparison.Ordinal);
        stage.LetGo();
    }

    [Fact]
    [Promise("G13")]
    [Failure("F71")]
    public async Task A_Quartz_that_does_not_tell_leaves_keys_that_may_be_generated_without_a_name()
    {
        var node = await StartAsync("ada", _ => { });
        var names = new SchedulerNames("tests", new RegisteredContent(null));
        var unknown = await NameAsync(new JobKey(Guid.NewGuid().ToString()));
        Assert.Contains("WithIdentity(name, group)", unknown.Fault, StringComparison.Ordinal);
        Assert.Contains(typeof(StagedJob).ToString(), unknown.Fault, StringComparison.Ordinal);
        Assert.Null((await NameAsync(Job)).Fault);
        Assert.Null((await NameAsync(new JobKey(Guid.NewGuid().ToString(), "tenants"))).Fault);

        ValueTask<JobName> NameAsync(JobKey key) => names.OfJobAsync(node.Quartz, JobBuilder.Create<StagedJob>().WithIdentity(key).Build(), Cancellation);
    }

    private async Task<TestScheduler> StartAsync(string name, Action<IQuartzBuilder> schedule)
    {
        var node = await TestScheduler.StartAsync(_store, Ledger, name, schedule, o => o.Defaults.OnConflict = JobConflictAction.Wait);
        Nodes.Add(node);
        return node;
    }
}
