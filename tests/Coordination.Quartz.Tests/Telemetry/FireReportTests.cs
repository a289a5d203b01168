using System.Diagnostics.Metrics;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Telemetry;

/// <summary>What the logs and the metrics tell of fires.</summary>
public sealed class FireReportTests : IAsyncDisposable
{
    private const string LockName = "tests/QuartzScheduler/reports/daily";

    private static readonly JobKey Job = new("daily", "reports");

    private readonly ControllableLockStore _store = new();
    private readonly List<TestScheduler> _nodes = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _store.IsAway = false;
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    /// <summary>Names may be any number, as where tenants are in the keys of jobs.</summary>
    [Theory]
    [Failure("F85")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fire_that_ran_is_counted_by_type_by_job_on_demand_and_told_with_its_token(bool namesJob)
    {
        var node = await StartAsync("ada", o => o.NameJobsInMetrics = namesJob);
        using var fires = Collect(node);
        await TriggerAsync(node);

        await AssertCountedAsync(fires, "ran", namesJob);
        var record = await AssertToldAsync(node, 1300, LogLevel.Information);
        Assert.Contains("reports.daily", record, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fire_that_found_its_job_running_is_counted_and_says_where_it_runs()
    {
        _store.GrantTo(LockName, "bob");
        var node = await StartAsync("ada", o => o.Defaults.OnConflict = JobConflictAction.Skip);
        using var fires = Collect(node);
        var verdict = await TriggerAsync(node);

        await AssertCountedAsync(fires, "skipped_held");

        // Nothing follows upon what is asked for by hand.
        Assert.Contains("bob", await AssertToldAsync(node, 1320, LogLevel.Warning), StringComparison.Ordinal);
        Assert.Contains("bob", Assert.IsType<JobRunReport>(verdict.Result).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fire_time_that_another_node_ran_is_counted_and_says_which()
    {
        var (time, nodes) = (DateTimeOffset.UtcNow, new List<TestScheduler> { await StartAsync("ada"), await StartAsync("bob") });
        using var fires = Collect(nodes[1]);
        var verdicts = new List<FireVerdict>();
        foreach (var node in nodes)
        {
            verdicts.Add(await ScheduleAsync(node, time));
        }

        Assert.False(verdicts[0].IsSkipped);
        Assert.True(verdicts[1].IsSkipped);
        await AssertCountedAsync(fires, "skipped_already_run");
        Assert.Contains("ada", await AssertToldAsync(nodes[1], 1303, LogLevel.Debug), StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F33")]
    public async Task A_fire_that_is_recovered_is_counted_and_says_for_whom()
    {
        var (time, ada, bob) = (DateTimeOffset.UtcNow, await StartAsync("ada", MakeUp, renewalInterval: TimeSpan.FromSeconds(1)), await StartAsync("bob", MakeUp));
        var stage = ada.Services.GetRequiredService<Stage>();
        stage.Act = (_, _) => stage.HoldOutAsync();
        using var made = Collect(bob);
        using var lost = Collect(ada);
        await AddAsync(ada, time);
        await Eventually.IsTrueAsync(() => stage.Calls == 1, TimeSpan.FromMinutes(1), "ada runs the fire");
        Assert.True(_store.LoseLock(LockName));
        var verdict = await ScheduleAsync(bob, time);
        await Eventually.IsTrueAsync(() => ada.Log.Any(record => record.Message.Contains("lost", StringComparison.OrdinalIgnoreCase)), TimeSpan.FromMinutes(1), "ada is told");
        stage.LetGo();
        await Eventually.IsTrueAsync(() => ada.Verdicts.All.Count == 1, TimeSpan.FromMinutes(1), "ada's run is over");

        Assert.False(verdict.IsSkipped);
        await AssertCountedAsync(made, "recovered");
        Assert.Contains("ada", await AssertToldAsync(bob, 1301, LogLevel.Warning), StringComparison.Ordinal);
        await AssertCountedAsync(lost, "lost");
        await AssertToldAsync(ada, 1306, LogLevel.Error);

        static void MakeUp(QuartzExclusivityOptions options) => options.Defaults.OnCrash = JobCrashAction.Recover;
    }

    [Theory]
    [InlineData(JobOutageAction.Skip, "skipped_store_unavailable", 1329, LogLevel.Warning)]
    [InlineData(JobOutageAction.RunAnyway, "ran_unprotected", 1305, LogLevel.Debug)]
    public async Task A_fire_while_the_store_is_away_is_counted_and_told(JobOutageAction choice, string outcome, int id, LogLevel level)
    {
        var node = await StartAsync("ada", o => o.ForJob(Job, job => job.OnStoreUnavailable = choice));
        using var fires = Collect(node);
        _store.IsAway = true;
        await TriggerAsync(node);

        await AssertCountedAsync(fires, outcome);
        await AssertToldAsync(node, id, level);
        await AssertToldAsync(node, 1308, LogLevel.Warning);
    }

    /// <summary>Of those that others follow, one line for all is enough.</summary>
    [Theory]
    [Failure("F75")]
    [Promise("G11")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fire_that_nothing_follows_and_that_an_outage_drops_is_a_warning_each(bool repeats)
    {
        var node = await StartAsync("ada", o => o.Defaults.OnConflict = JobConflictAction.Skip);
        _store.IsAway = true;
        for (var fires = 1; fires <= 3; fires++)
        {
            var trigger = TriggerBuilder.Create().ForJob(Job).WithIdentity($"trigger-{fires}").StartAt(DateTimeOffset.UtcNow);
            await node.Quartz.ScheduleJob((repeats ? trigger.WithSimpleSchedule(schedule => schedule.WithInterval(TimeSpan.FromHours(1)).RepeatForever()) : trigger).Build(), cancellationToken: Cancellation);
        }

        await Eventually.IsTrueAsync(() => node.Verdicts.All.Count == 3, TimeSpan.FromMinutes(1), "the fires are over");
        Assert.All(node.Verdicts.All, verdict => Assert.True(verdict.IsSkipped));
        Assert.Equal(repeats ? 0 : 3, node.Log.Count(record => record.Id.Id == 1329));
        Assert.Equal(repeats ? 3 : 0, node.Log.Count(record => record.Id.Id == 1304));
    }

    [Fact]
    [Failure("F90")]
    [Promise("G11")]
    public async Task A_run_that_was_cancelled_is_counted_as_that_and_says_how_to_run_the_job_again()
    {
        var (time, node) = (DateTimeOffset.UtcNow, await StartAsync("ada"));
        using var fires = Collect(node);
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await AddAsync(node, time);
        await Eventually.IsTrueAsync(() => stage.Calls == 1, TimeSpan.FromMinutes(1), "the job runs");
        Assert.True(await node.Quartz.Interrupt(Job, Cancellation));
        var verdict = await EndAsync(node);

        Assert.Equal(ExecutionOutcome.Cancelled, verdict.Outcome);
        await AssertCountedAsync(fires, "cancelled");
        Assert.Contains(nameof(IScheduler.TriggerJob), await AssertToldAsync(node, 1324, LogLevel.Warning), StringComparison.Ordinal);
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1300);
    }

    [Theory]
    [Failure("F90")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_that_failed_is_counted_as_that(bool hasTime)
    {
        var node = await StartAsync("ada");
        using var fires = Collect(node);
        node.Services.GetRequiredService<Stage>().Act = (_, _) => throw new InvalidOperationException("broken");
        var verdict = hasTime ? await ScheduleAsync(node, DateTimeOffset.UtcNow) : await TriggerAsync(node);

        Assert.Equal(ExecutionOutcome.Failed, verdict.Outcome);
        await AssertCountedAsync(fires, "failed");
        Assert.Contains("failed", await AssertToldAsync(node, 1324, LogLevel.Warning), StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F90")]
    public async Task A_job_that_runs_without_a_lease_and_asks_for_it_is_told_what_to_ask_instead()
    {
        var (asked, seen) = (new List<bool>(), (Exception?)null);
        var node = await StartAsync("ada", o => o.Defaults.OnStoreUnavailable = JobOutageAction.RunAnyway, quartz =>
        {
            quartz.AddJob<CallingJob>(job => job.WithIdentity("calling").StoreDurably().DisallowConcurrentAcrossCluster());
            quartz.Services.AddSingleton(new Calls(context =>
            {
                asked.Add(context.TryGetLease(out _));
                seen = Record.Exception(() => context.GetLease());
                return Task.CompletedTask;
            }));
        });
        _store.IsAway = true;
        await node.Quartz.TriggerJob(new JobKey("calling"), Cancellation);
        await EndAsync(node);
        Assert.False(Assert.Single(asked));
        var sentence = Assert.IsType<InvalidOperationException>(seen).Message;
        Assert.Contains("TryGetLease", sentence, StringComparison.Ordinal);
        Assert.Contains("RunAnyway", sentence, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F81")]
    public async Task An_outage_is_told_once_however_many_fires_meet_it_and_so_is_its_end()
    {
        var node = await StartAsync("ada", o => o.Defaults.OnStoreUnavailable = JobOutageAction.Skip);
        for (var fires = 1; fires <= 6; fires++)
        {
            _store.IsAway = fires <= 5;
            await node.Quartz.TriggerJob(Job, Cancellation);
            await Eventually.IsTrueAsync(() => node.Verdicts.All.Count == fires, TimeSpan.FromMinutes(1), "the fire is over");
        }

        Assert.Equal(5, node.Verdicts.All.Count(verdict => verdict.IsSkipped));
        Assert.Contains("5 fires", await AssertToldAsync(node, 1350, LogLevel.Information), StringComparison.Ordinal);
        Assert.Null(Assert.Single(node.Log, record => record.Id.Id == 1308).Exception);
        Assert.DoesNotContain(node.Log, record => record.Id.Id is >= 1300 and < 1400 && record.Exception is not null);
    }

    [Fact]
    [Failure("F81")]
    [Promise("G11")]
    public async Task A_remembered_time_that_lies_ahead_is_warned_of_and_says_what_to_do()
    {
        var (ada, bob) = (await StartAsync("ada", schedule: quartz => quartz.UseTimeProvider(new ShiftedClock(TimeSpan.FromHours(1)))), await StartAsync("bob"));
        await ScheduleAsync(ada, DateTimeOffset.UtcNow.AddHours(1));
        Assert.True((await ScheduleAsync(bob, DateTimeOffset.UtcNow)).IsSkipped);

        var told = await AssertToldAsync(bob, 1323, LogLevel.Warning);
        Assert.Contains("ada", told, StringComparison.Ordinal);
        var words = System.Text.RegularExpressions.Regex.Match(told, "ForgetOccurrenceAsync\\(\"([^\"]+)\", \"([^\"]+)\"\\)").Groups;
        Assert.Equal(LockName, words[1].Value);

        // What it says is what there is to do: the next fire runs.
        var inspector = bob.Services.GetRequiredService<ILockInspector>();
        Assert.True(await inspector.ForgetOccurrenceAsync(words[1].Value, words[2].Value, Cancellation));
        Assert.False(await inspector.ForgetOccurrenceAsync(words[1].Value, words[2].Value, Cancellation));
        var cy = await StartAsync("cy");
        Assert.False((await ScheduleAsync(cy, DateTimeOffset.UtcNow)).IsSkipped);
    }

    [Fact]
    [Failure("F36")]
    public async Task A_sink_of_metrics_that_blocks_stops_no_fire()
    {
        var node = await StartAsync("ada");
        var factory = node.Services.GetRequiredService<IMeterFactory>();
        using var blocked = new ManualResetEventSlim();
        using var goesOn = new ManualResetEventSlim();
        using var sink = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == factory && instrument.Name == "coordination.quartz.fires")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        sink.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            blocked.Set();
            goesOn.Wait();
        });
        sink.Start();
        try
        {
            // More than the scheduler has threads.
            for (var fires = 1; fires <= 12; fires++)
            {
                await node.Quartz.TriggerJob(Job, Cancellation);
                await Eventually.IsTrueAsync(() => node.Verdicts.All.Count == fires && node.FiresUnderWay == 0, TimeSpan.FromMinutes(1), "the fire is over");
            }

            await Eventually.IsTrueAsync(() => blocked.IsSet, TimeSpan.FromMinutes(1), "the sink blocks");
            await node.StopAsync().WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        }
        finally
        {
            goesOn.Set();
        }
    }

    private static MetricCollector<long> Collect(TestScheduler node) =>
        new(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.quartz.fires");

    private static async Task AssertCountedAsync(MetricCollector<long> fires, string outcome, bool namesJob = false)
    {
        // Listeners of the user's may hear of the end of a fire before this one does.
        await fires.WaitForMeasurementsAsync(1, TimeSpan.FromSeconds(20));

        // The collector goes on with this test on the thread that tells sinks, and what follows waits for that one.
        await Task.Yield();
        var measured = Assert.Single(fires.GetMeasurementSnapshot());
        Assert.Equal(1, measured.Value);
        Assert.Equal(outcome, measured.Tags["coordination.fire.outcome"]);
        Assert.Equal(typeof(StagedJob).ToString(), measured.Tags["quartz.job.type"]);
        Assert.Equal(namesJob ? [Job.Group, Job.Name] : [null, null], [measured.Tags.GetValueOrDefault("quartz.job.group"), measured.Tags.GetValueOrDefault("quartz.job.name")]);
    }

    private static async Task<string> AssertToldAsync(TestScheduler node, int id, LogLevel level)
    {
        await Eventually.IsTrueAsync(() => node.Log.Any(record => record.Id.Id == id), TimeSpan.FromMinutes(1), $"{id} is logged");
        var record = Assert.Single(node.Log, record => record.Id.Id == id);
        Assert.Equal(level, record.Level);
        return record.Message;
    }

    private async Task<TestScheduler> StartAsync(string name, Action<QuartzExclusivityOptions>? exclusivity = null, Action<IQuartzBuilder>? schedule = null, TimeSpan? renewalInterval = null)
    {
        var node = await TestScheduler.StartAsync(
            _store,
            new Ledger(),
            name,
            quartz =>
            {
                quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());
                schedule?.Invoke(quartz);
            },
            exclusivity,
            services: services => services.Configure<CoordinationOptions>(o => o.RenewalInterval = renewalInterval));
        _nodes.Add(node);
        return node;
    }

    private static async Task<FireVerdict> TriggerAsync(TestScheduler node)
    {
        await node.Quartz.TriggerJob(Job, Cancellation);
        return await EndAsync(node);
    }

    private static async Task<FireVerdict> ScheduleAsync(TestScheduler node, DateTimeOffset time)
    {
        await AddAsync(node, time);
        return await EndAsync(node);
    }

    private static async Task AddAsync(TestScheduler node, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity("once").StartAt(time).Build(), cancellationToken: Cancellation);

    private static async Task<FireVerdict> EndAsync(TestScheduler node)
    {
        await Eventually.IsTrueAsync(() => node.Verdicts.All.Count == 1, TimeSpan.FromMinutes(1), "the fire is over");
        return node.Verdicts.All[0];
    }
}
