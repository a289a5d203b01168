using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>A fire whose node dies, or stops, in the middle.</summary>
public sealed class CrashTests(AnyServerFixture redis) : ClusterTest(redis)
{
    [Theory]
    [Promise("G11")]
    [Failure("F33")]
    [InlineData(JobCrashAction.Recover)]
    [InlineData(JobCrashAction.Skip)]
    public async Task The_fire_of_a_killed_process_is_run_by_another_only_where_that_was_asked_for(JobCrashAction onCrash)
    {
        // Their clocks are behind, so they come to the worker's fire time while it runs.
        await StartSurvivorsAsync(onCrash, behind: TimeSpan.FromSeconds(3));
        await using var worker = WorkerProcess.Start(Redis, Prefix, "worker", onCrash);
        var begun = await worker.RunsAsync();
        await Until(() => Nodes.All(node => node.Log.Any(record => record.Id.Id == 1307) || node.Verdicts.All.Any(verdict => verdict.FireTime == begun)), "the others come to it");
        await worker.KillAsync();
        await Until(() => Ledger.Runs.Any(run => run.FireTime > begun), "later fires are run");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        Ledger.AssertOncePerFireTime();
        Ledger.AssertOneAtATime();
        Assert.Equal(onCrash == JobCrashAction.Recover ? 1 : 0, Ledger.Runs.Count(run => run.FireTime == begun));
        Assert.Equal(onCrash == JobCrashAction.Recover ? 1 : 0, Nodes.SelectMany(node => node.Log).Count(record => record.Id.Id == 1301));
        await AssertNothingHeldAsync("tests/QuartzScheduler/DEFAULT/staged");
    }

    /// <summary>Client libraries that are cancelled throw exceptions of their own, and loops that ask their token end without one.</summary>
    [Theory]
    [Promise("G10", "G11")]
    [Failure("F66", "F90")]
    [InlineData("throws")]
    [InlineData("throws its own")]
    [InlineData("returns")]
    public async Task A_fire_that_a_stopping_node_cancels_is_run_by_another(string ending)
    {
        await StartSurvivorsAsync(JobCrashAction.Recover, behind: TimeSpan.FromSeconds(2));
        var stage = new Stage();
        stage.Act = async (_, cancellationToken) =>
        {
            try
            {
                await stage.HoldAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (ending == "throws its own")
            {
                throw new InvalidOperationException("The command was cancelled by the user.");
            }
            catch (OperationCanceledException) when (ending == "returns")
            {
                // As a loop does that is told to leave off.
            }
        };
        var leaving = await StartAsync(
            "leaving",
            quartz =>
            {
                quartz.ConfigureScheduler(o => o.ShutdownJobInterruption = ShutdownJobInterruption.Always);

                // Its next fires do not wait for the lock beside the first: one that got it, and was cancelled before it began, would take the first one's place in its series.
                WorkerProcess.Schedule(quartz, OverlapPolicy.Skip);
            },
            o => o.ForJob<StagedJob>(job => job.OnCrash = JobCrashAction.Recover),
            services: services => services.AddSingleton(stage));
        await Until(() => Ledger.Runs.Any(run => run.Scheduler == "leaving"), "the job runs");
        await Until(() => Nodes.Take(2).All(node => node.Log.Any(record => record.Id.Id == 1307)), "the others stand by");
        await leaving.StopAsync().WaitAsync(Bound, Cancellation);
        Assert.Contains(leaving.Log, record => record.Id.Id == 1326);
        Assert.DoesNotContain(leaving.Log, record => record.Id.Id == 1300);

        var begun = Ledger.Runs.Single(run => run.Scheduler == "leaving").FireTime;
        await Until(() => Ledger.Runs.Count(run => run.FireTime == begun) == 2, "the fire is run by another");
        Assert.Single(Ledger.Runs, run => run.FireTime == begun && run.Scheduler != "leaving");
        await Until(() => Nodes.Take(2).Any(node => node.Log.Any(record => record.Id.Id == 1301)), "it is told that it was recovered");
        Ledger.AssertOneAtATime();
    }

    [Fact]
    [Promise("G11")]
    [Failure("F90")]
    public async Task A_job_that_returns_because_its_node_stops_is_told_as_one_that_was_cancelled()
    {
        var stage = new Stage();
        stage.Act = async (_, cancellationToken) => await stage.HoldAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var leaving = await StartAsync(
            "leaving",
            quartz =>
            {
                quartz.ConfigureScheduler(o => o.ShutdownJobInterruption = ShutdownJobInterruption.Always);
                WorkerProcess.Schedule(quartz);
            },
            services: services => services.AddSingleton(stage));
        await Until(() => stage.Calls == 1, "the job runs");
        await leaving.StopAsync().WaitAsync(Bound, Cancellation);
        Assert.Single(leaving.Log, record => record.Id.Id == 1324);
        Assert.DoesNotContain(leaving.Log, record => record.Id.Id == 1300);
    }

    private async Task StartSurvivorsAsync(JobCrashAction onCrash, TimeSpan behind)
    {
        foreach (var name in (string[])["bob", "cy"])
        {
            await StartAsync(
                name,
                quartz =>
                {
                    quartz.UseTimeProvider(new ShiftedClock(-behind));
                    WorkerProcess.Schedule(quartz);
                },
                o => o.ForJob<StagedJob>(job => job.OnCrash = onCrash));
        }
    }
}
