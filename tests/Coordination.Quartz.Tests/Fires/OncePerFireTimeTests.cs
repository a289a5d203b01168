using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Fires;

public sealed class OncePerFireTimeTests(AnyServerFixture redis) : ClusterTest(redis)
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    [Fact]
    [Promise("G1", "G3", "G11")]
    public async Task Each_fire_time_is_run_by_one_of_three_schedulers()
    {
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            await StartAsync(name, WorkerProcess.Schedule);
        }

        await Until(() => Ledger.Runs.Select(run => run.FireTime).Distinct().Count() >= 4, "four fire times were run");
        var (first, last) = (Ledger.Runs[1].FireTime, Ledger.Runs[^1].FireTime);
        await Until(() => Nodes.All(node => node.Verdicts.All.Any(verdict => verdict.FireTime >= last)), "every scheduler has come to the last of them");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        Ledger.AssertOncePerFireTime();
        Ledger.AssertOneAtATime();
        await AssertNothingHeldAsync(LockName);

        // All fired for each time; one ran, and the others said why they did not.
        for (var time = first; time <= last; time = time.AddSeconds(1))
        {
            var verdicts = Nodes.SelectMany(node => node.Verdicts.All).Where(verdict => verdict.FireTime == time).ToList();
            Assert.Equal(1, verdicts.Count(verdict => !verdict.IsSkipped));
            Assert.All(verdicts, verdict => Assert.Equal(verdict.IsSkipped ? ExecutionOutcome.Vetoed : ExecutionOutcome.Succeeded, verdict.Outcome));
            Assert.Equal(3, verdicts.Count);
        }
    }

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public Task With_clocks_that_differ_by_more_than_the_job_takes_each_fire_runs_once() => RunEachOnceAsync(runs: 12, TimeSpan.FromMinutes(2));

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    [Needs(Need.LongTier)]
    public Task With_clocks_that_differ_by_more_than_the_job_takes_each_minutes_fire_runs_once() => RunEachOnceAsync(runs: 60, TimeSpan.FromMinutes(4));

    private async Task RunEachOnceAsync(int runs, TimeSpan limit)
    {
        foreach (var (name, ahead) in ((string, int)[])[("late", 0), ("early", 5)])
        {
            await StartAsync(name, quartz =>
            {
                quartz.UseTimeProvider(new ShiftedClock(TimeSpan.FromSeconds(ahead)));
                WorkerProcess.Schedule(quartz);
            });
            // The work itself takes a while, for the others to come while it goes on.
            Nodes[^1].Services.GetRequiredService<Stage>().Act = (_, cancellationToken) => Task.Delay(10, cancellationToken);
        }

        // Five seconds of fires that the early one runs first, at the least, and the late one comes to as well.
        await RunAsync(() => Ledger.Runs.Count >= runs, limit);
        var last = Ledger.Runs[^7].FireTime;
        await Until(() => Nodes.All(node => node.Verdicts.All.Any(verdict => verdict.FireTime >= last)), "both came to the same fire times");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        Ledger.AssertOncePerFireTime();

        // None is missing from when the early one was there.
        var times = Ledger.Runs.Select(run => run.FireTime).SkipWhile(time => time < Ledger.Runs.First(run => run.Scheduler == "early").FireTime).ToList();
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(TimeSpan.FromSeconds(1), pair.Second - pair.First));
        Assert.Contains(Nodes[0].Log, record => record.Id.Id == 1303);
    }

    [Fact]
    public async Task A_job_without_once_per_fire_time_is_exclusive_only()
    {
        await StartAsync("early", quartz => quartz.UseTimeProvider(new ShiftedClock(TimeSpan.FromSeconds(3))).AddQuartzExclusivity(NotOnce).ScheduleJob<StagedJob>(Each, Named));
        await StartAsync("late", quartz => quartz.AddQuartzExclusivity(NotOnce).ScheduleJob<StagedJob>(Each, Named));
        await Until(() => Ledger.Runs.GroupBy(run => run.FireTime).Any(runs => runs.Count() == 2), "a fire time is run by both");
        static void NotOnce(QuartzExclusivityOptions options) => options.ForJob<StagedJob>(job => job.OncePerFireTime = false);
    }

    [Fact]
    public async Task A_job_that_is_triggered_by_hand_is_exclusive_and_not_compared_with_fire_times()
    {
        var node = await StartAsync("ada", quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity("staged").StoreDurably()));
        for (var i = 1; i <= 3; i++)
        {
            await node.Quartz.TriggerJob(new JobKey("staged"), Cancellation);
            await Until(() => node.Verdicts.All.Count == i, "the run is over");
        }

        Assert.Equal(3, Ledger.Runs.Count);
        Ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task Triggers_that_run_once_and_were_given_no_key_are_each_a_run_of_their_own()
    {
        var node = await StartAsync("ada", quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity("staged").StoreDurably()));
        var at = DateTimeOffset.UtcNow;
        foreach (var seconds in (int[])[0, 0, -1])
        {
            var before = node.Verdicts.All.Count;
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob("staged").StartAt(at.AddSeconds(seconds)).Build(), cancellationToken: Cancellation);
            await Until(() => node.Verdicts.All.Count > before, "the run is over");
        }

        Assert.DoesNotContain(node.Verdicts.All, verdict => verdict.IsSkipped);
        Assert.Equal(3, Ledger.Runs.Count);
    }

    [Fact]
    [Promise("G11")]
    public async Task Jobs_and_triggers_that_were_given_no_key_are_known_by_their_type_and_schedule()
    {
        foreach (var name in (string[])["ada", "bob"])
        {
            await StartAsync(name, quartz => quartz.ScheduleJob<StagedJob>(trigger => trigger.WithCronSchedule("* * * * * ?")));
        }

        await Until(() => Ledger.Runs.Count >= 4 && Nodes.All(node => node.Verdicts.All.Count >= 4), "both came to four fire times");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        Assert.All(Ledger.Runs.GroupBy(run => run.FireTime), runs => Assert.Single(runs));
        Ledger.AssertOneAtATime();
        Assert.Single(Nodes[0].Log, record => record.Id.Id == 1314);
    }

    private static void Each(ITriggerConfigurator<StagedJob> trigger) => trigger.WithIdentity("each-second").WithCronSchedule("* * * * * ?");

    private static void Named(IJobConfigurator<StagedJob> job) => job.WithIdentity("staged");

    private static Task RunAsync(Func<bool> condition, TimeSpan within) => Eventually.IsTrueAsync(condition, within, "the fires were run");
}
