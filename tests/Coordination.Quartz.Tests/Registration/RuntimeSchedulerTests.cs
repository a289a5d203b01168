using Coordination.Quartz.Execution;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quartz;
using Quartz.Extensibility;
using Quartz.Impl;

namespace Coordination.Quartz.Tests.Registration;

/// <summary>Schedulers that are added, or built again, while the host runs.</summary>
[Failure("F79")]
public sealed class RuntimeSchedulerTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly JobKey Job = new("staged");

    private readonly InMemoryLockStore _store = new();
    private readonly Ledger _ledger = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_scheduler_that_is_added_has_the_applications_settings_and_its_own(bool asksForItself)
    {
        using var host = await StartAsync(options => options.Defaults.LeaseDuration = TimeSpan.FromSeconds(7));
        var scheduler = await Runtime(host).Add(
            "tenant",
            quartz => AddJob(asksForItself ? quartz.AddQuartzExclusivity(options => options.Defaults.Name = "of-its-own") : quartz),
            cancellationToken: Cancellation);
        var stage = host.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await scheduler.TriggerJob(Job, Cancellation);
        await Until(() => _ledger.Runs.Count == 1);

        Assert.NotNull(_ledger.Runs[0].Token);
        Assert.NotNull(await _store.GetHolderAsync(asksForItself ? "of-its-own" : "tests/tenant/DEFAULT/staged", Cancellation));
        Assert.Single(host.Services.GetRequiredService<ExclusiveRuns>().UnderWay);
        stage.LetGo();
        await Until(() => _store.Count == 0);
        await host.StopAsync(Cancellation);
    }

    /// <summary>In the container that is the scheduler's own Quartz has its own record of keys.</summary>
    [Fact]
    [Promise("G13")]
    [Failure("F71")]
    public async Task A_job_without_a_key_is_known_by_its_type_there_as_well()
    {
        using var host = await StartAsync();
        var scheduler = await Runtime(host).Add("tenant", quartz => quartz.AddJob<StagedJob>(job => job.StoreDurably()), cancellationToken: Cancellation);
        var stage = host.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await scheduler.TriggerJob((await scheduler.GetJobKeys(GroupMatcher<JobKey>.AnyGroup(), Cancellation)).Single(), Cancellation);
        await Until(() => _ledger.Runs.Count == 1);
        Assert.Equal($"tests/tenant/{typeof(StagedJob)}", Assert.Single((await _store.ListAsync(null, Cancellation)).LockNames));
        stage.LetGo();
        await host.StopAsync(Cancellation);
    }

    /// <summary>There is no start of the host that they could stop.</summary>
    [Fact]
    [Promise("G13")]
    [Failure("F71")]
    public async Task Jobs_without_keys_that_no_node_can_tell_apart_fail_there_and_say_what_to_do()
    {
        using var host = await StartAsync();
        var verdicts = new Verdicts();
        var scheduler = await Runtime(host).Add(
            "tenant", quartz => quartz.AddJobListener(verdicts).AddJob<StagedJob>(job => job.StoreDurably()).AddJob<StagedJob>(job => job.StoreDurably()), cancellationToken: Cancellation);
        await scheduler.TriggerJob((await scheduler.GetJobKeys(GroupMatcher<JobKey>.AnyGroup(), Cancellation)).First(), Cancellation);
        await Until(() => verdicts.All.Count == 1);
        Assert.Contains("Give each a key with WithIdentity", verdicts.All[0].Failure!.ToString(), StringComparison.Ordinal);
        Assert.Contains("Give each a key with WithIdentity", Assert.Single(host.Services.FlushedLogs.GetSnapshot(), record => record.Id.Id == 1355).Message, StringComparison.Ordinal);
        Assert.Empty(_ledger.Runs);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    [Failure("F75", "F78")]
    public async Task A_scheduler_that_is_added_or_built_again_is_checked_as_it_starts_and_once()
    {
        using var host = await StartAsync();
        var scheduler = await Runtime(host).Add("tenant", AddWhatIsWarnedOf, cancellationToken: Cancellation);
        AssertWarned(host, "tenant", times: 1);
        await scheduler.Standby(Cancellation);
        await scheduler.Start(Cancellation);
        AssertWarned(host, "tenant", times: 1);
        await Runtime(host).Restart("tenant", cancellationToken: Cancellation);
        AssertWarned(host, "tenant", times: 2);
        await host.StopAsync(Cancellation);
    }

    [Theory]
    [Failure("F75", "F78")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_scheduler_of_the_container_is_checked_by_the_host_and_when_it_is_built_again(bool startsLate)
    {
        using var host = await StartAsync(schedule: services => services.AddQuartz("named", AddWhatIsWarnedOf), startsLate: startsLate);
        AssertWarned(host, "named", times: 1);
        await Until(() => host.Services.GetRequiredService<ISchedulerRepository>().Lookup("named") is { Status: SchedulerStatus.Running });
        AssertWarned(host, "named", times: 1);
        await Runtime(host).Restart("named", cancellationToken: Cancellation);
        AssertWarned(host, "named", times: 2);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_scheduler_that_is_built_again_is_exclusive_as_before()
    {
        using var host = await StartAsync();
        await Runtime(host).Add("tenant", AddJob, cancellationToken: Cancellation);
        for (var run = 1; run <= 2; run++)
        {
            var scheduler = await Runtime(host).Restart("tenant", cancellationToken: Cancellation);
            await scheduler.TriggerJob(Job, Cancellation);
            await Until(() => _ledger.Runs.Count(ended => ended.EndedAt is not null) == run);
        }

        Assert.All(_ledger.Runs, run => Assert.NotNull(run.Token));
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_scheduler_of_the_container_that_is_built_again_is_exclusive_as_before()
    {
        using var host = await StartAsync(schedule: services => services.AddQuartz("named", quartz => AddJob(quartz.AddQuartzExclusivity(options => options.Defaults.Name = "of-its-own"))));
        var scheduler = await Runtime(host).Restart("named", cancellationToken: Cancellation);
        var stage = host.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await scheduler.TriggerJob(Job, Cancellation);
        await Until(() => _ledger.Runs.Count == 1);
        Assert.NotNull(await _store.GetHolderAsync("of-its-own", Cancellation));
        stage.LetGo();
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Its_runs_are_interrupted_and_awaited_when_the_host_stops()
    {
        using var host = await StartAsync();
        var scheduler = await Runtime(host).Add("tenant", AddJob, cancellationToken: Cancellation);
        var stage = host.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await scheduler.TriggerJob(Job, Cancellation);
        await Until(() => _ledger.Runs.Count == 1);
        await host.StopAsync(Cancellation);

        Assert.NotNull(_ledger.Runs[0].EndedAt);
        Assert.Equal(0, _store.Count);
        Assert.Empty(host.Services.GetRequiredService<ExclusiveRuns>().UnderWay);
    }

    [Fact]
    public async Task A_recipe_that_asks_for_exclusivity_in_an_application_without_it_is_refused()
    {
        using var host = await StartAsync(isExclusive: false);
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => Runtime(host).Add("tenant", quartz => AddJob(quartz.AddQuartzExclusivity()), cancellationToken: Cancellation).AsTask());
        Assert.Contains("AddQuartzExclusivity()", failure.ToString(), StringComparison.Ordinal);
        await host.StopAsync(Cancellation);
    }

    private static ISchedulerRuntime Runtime(IHost host) => host.Services.GetRequiredService<ISchedulerRuntime>();

    private static void AddJob(IQuartzBuilder quartz) => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());

    private static void AddWhatIsWarnedOf(IQuartzBuilder quartz)
    {
        AddJob(quartz);
        quartz.UseThreadPool<PoolOfTheUsers>().AddTrigger(trigger => trigger.ForJob(Job).WithIdentity("first-thing").StartNow());
    }

    private static void AssertWarned(IHost host, string scheduler, int times)
    {
        var log = host.Services.FlushedLogs.GetSnapshot();
        Assert.Equal(times, log.Count(record => record.Id.Id == 1353 && record.Message.Contains($" {scheduler} ", StringComparison.Ordinal)));
        Assert.Equal(times, log.Count(record => record.Id.Id == 1330));
    }

    private static Task Until(Func<bool> condition) => Eventually.IsTrueAsync(condition, Bound, "what the test waits for");

    private async Task<IHost> StartAsync(Action<QuartzExclusivityOptions>? exclusivity = null, bool isExclusive = true, Action<IServiceCollection>? schedule = null, bool startsLate = false)
    {
        var builder = TestScheduler.CreateBuilder(_ledger, "node");
        var coordination = builder.Services.AddCoordination().UseInMemory(_store);
        if (isExclusive)
        {
            coordination.AddQuartzExclusivity(exclusivity);
        }

        builder.Services.AddQuartz();
        schedule?.Invoke(builder.Services);
        builder.Services.AddQuartzHostedService(o => (o.WaitForJobsToComplete, o.AwaitApplicationStarted) = (false, startsLate));
        var host = builder.Build();
        await host.StartAsync(Cancellation);
        return host;
    }

    private sealed class PoolOfTheUsers : TaskSchedulingThreadPool
    {
        public PoolOfTheUsers() => MaxConcurrency = 5;

        protected override TaskScheduler GetDefaultScheduler() => TaskScheduler.Default;
    }
}
