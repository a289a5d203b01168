using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>A fire that finds its lock with a run of another series waits: nobody else runs it, and the next one may find the same.</summary>
[Failure("F75")]
[Promise("G11")]
public sealed class OtherSeriesTests : NodesTest
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private readonly ControllableLockStore _store = new();
    private readonly Stage _stage = new();
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;

    /// <summary>All fire in the same moment, now, and then in an hour.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Triggers_of_one_job_that_fire_at_one_time_all_run(int nodes)
    {
        _stage.Act = (_, cancellationToken) => _stage.HoldAsync(cancellationToken);
        await StartAsync(nodes);
        string[] triggers = ["a", "b", "c"];
        foreach (var node in Nodes)
        {
            foreach (var trigger in triggers)
            {
                await ScheduleAsync(node, trigger, TimeSpan.FromHours(1));
            }
        }

        // On each node each fire is skipped because its time was begun, or runs, or waits.
        await UntilAsync(() => Ledger.Runs.Count == 1 && Nodes.Sum(node => node.FiresUnderWay + node.Verdicts.All.Count) == nodes * triggers.Length, "all have fired");
        _stage.LetGo();
        await UntilAsync(() => Nodes.TrueForAll(node => node.Verdicts.All.Count == triggers.Length), "all are over");
        Assert.Equal(triggers.Length, Ledger.Runs.Count);
        Assert.Equal(triggers.Length, Nodes.Sum(node => node.Verdicts.All.Count(verdict => !verdict.IsSkipped)));
        Ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task Of_two_triggers_that_fire_together_again_and_again_none_starves()
    {
        // The work itself takes a while, for the other to come while it goes on.
        _stage.Act = (_, cancellationToken) => Task.Delay(50, cancellationToken);
        await StartAsync(2);
        foreach (var node in Nodes)
        {
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity("first").WithCronSchedule("* * * * * ?").Build(), cancellationToken: Cancellation);
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity("second").WithCronSchedule("* * * * * ?").Build(), cancellationToken: Cancellation);
        }

        await UntilAsync(() => Ledger.Runs.Select(run => run.FireTime).Distinct().Count() >= 5, "five times were run");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        var runs = Ledger.Runs.GroupBy(run => run.FireTime).OrderBy(runs => runs.Key).Select(runs => runs.Count()).ToList();

        // The first may have come before all was scheduled, and the last when the nodes stopped.
        Assert.All(runs[1..^1], count => Assert.Equal(2, count));
        Ledger.AssertOneAtATime();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_run_of_its_own_series_is_not_waited_for(int nodes)
    {
        _stage.Act = (_, cancellationToken) => _stage.HoldAsync(cancellationToken);
        await StartAsync(nodes);
        foreach (var node in Nodes)
        {
            await ScheduleAsync(node, "often", TimeSpan.FromSeconds(1));
        }

        await UntilAsync(() => Nodes.TrueForAll(node => node.Verdicts.All.Count(verdict => verdict.IsSkipped) >= 3), "three times were skipped on each node");
        Assert.Single(Ledger.Runs);
        Assert.Empty((await _store.InspectAsync(LockName, 10, Cancellation)).Waiters);
        Assert.DoesNotContain(Nodes.SelectMany(node => node.Log), record => record.Id.Id == 1321);
        Assert.Contains(Nodes[0].Log, record => record.Id.Id == 1302);
    }

    [Fact]
    public async Task One_fire_of_each_trigger_waits_for_another_series_and_runs_in_its_turn()
    {
        _stage.Act = (call, cancellationToken) => call == 1 ? _stage.HoldAsync(cancellationToken) : Task.CompletedTask;
        var node = await StartAsync("ada");
        await ScheduleAsync(node, "long", TimeSpan.FromHours(1));
        await UntilAsync(() => Ledger.Runs.Count == 1, "the first runs");
        await ScheduleAsync(node, "often", TimeSpan.FromSeconds(1));
        await UntilAsync(() => node.Log.Count(record => record.Id.Id == 1321) >= 2, "two came while one waits");
        Assert.Single((await _store.InspectAsync(LockName, 10, Cancellation)).Waiters);
        _stage.LetGo();
        await UntilAsync(() => Ledger.Runs.Count >= 3, "the one that waited runs, and those after it");
        Ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task A_run_of_another_job_under_the_same_lock_is_waited_for_as_long_as_MaxWait_says()
    {
        var node = await StartAsync("ada", options => (options.Defaults.Name, options.Defaults.MaxWait) = ("shared", TimeSpan.FromMilliseconds(200)));
        _store.GrantTo("shared", "bob", TimeSpan.FromHours(1));
        await ScheduleAsync(node, "hourly", TimeSpan.FromHours(1));
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire gave up");
        Assert.True(node.Verdicts.All[0].IsSkipped);
        Assert.Single(node.Log, record => record.Id.Id == 1302);
    }

    /// <summary>The second one of each time finds the lock with the first, on each node.</summary>
    [Fact]
    public async Task Of_two_jobs_that_share_a_lock_and_fire_together_none_is_dropped()
    {
        // The work itself takes a while, for the other to come while it goes on.
        _stage.Act = (_, cancellationToken) => Task.Delay(50, cancellationToken);
        foreach (var name in (string[])["ada", "bob"])
        {
            await StartAsync(name, options => options.Defaults.Name = "shared", quartz =>
            {
                foreach (var job in (string[])["export", "import"])
                {
                    quartz.ScheduleJob<StagedJob>(trigger => trigger.WithIdentity(job).WithCronSchedule("* * * * * ?"), builder => builder.WithIdentity(job));
                }
            });
        }

        await UntilAsync(() => Ledger.Runs.Select(run => run.FireTime).Distinct().Count() >= 5, "five times were run");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        var runs = Ledger.Runs.GroupBy(run => run.FireTime).OrderBy(runs => runs.Key).Select(runs => runs.Count()).ToList();

        // The first may have come before both nodes had started, and the last when they stopped.
        Assert.All(runs[1..^1], count => Assert.Equal(2, count));
        Ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task A_fire_that_is_told_to_skip_skips_whoever_has_the_lock()
    {
        var node = await StartAsync("ada", options => options.Defaults.OnConflict = JobConflictAction.Skip);
        _store.GrantTo(LockName, "bob", TimeSpan.FromHours(1));
        await ScheduleAsync(node, "hourly", TimeSpan.FromHours(1));
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.True(node.Verdicts.All[0].IsSkipped);
    }

    private async Task ScheduleAsync(TestScheduler node, string trigger, TimeSpan interval) => await node.Quartz.ScheduleJob(
        TriggerBuilder.Create().ForJob(Job).WithIdentity(trigger).StartAt(_now).WithSimpleSchedule(schedule => schedule.WithInterval(interval).RepeatForever()).Build(), cancellationToken: Cancellation);

    private async Task StartAsync(int nodes)
    {
        foreach (var name in ((string[])["ada", "bob"]).Take(nodes))
        {
            await StartAsync(name);
        }
    }

    private async Task<TestScheduler> StartAsync(string name, Action<QuartzExclusivityOptions>? exclusivity = null, Action<IQuartzBuilder>? schedule = null)
    {
        var node = await TestScheduler.StartAsync(
            _store,
            Ledger,
            name,
            schedule ?? (quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably())),
            exclusivity,
            services: services => services.AddSingleton(_stage));
        Nodes.Add(node);
        return node;
    }
}
