using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>What is said of a run that ended before its work was done, and that nobody runs again.</summary>
[Failure("F90")]
public sealed class UnfinishedRunTests : NodesTest
{
    private readonly ControllableLockStore _store = new();

    /// <summary>The fires of the other nodes were skipped long before, and no node comes to that time again.</summary>
    [Fact]
    [Promise("G11")]
    public async Task The_advice_on_a_daily_job_that_failed_has_it_run_again()
    {
        var now = DateTimeOffset.UtcNow;
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            var node = await StartAsync(name);
            node.Services.GetRequiredService<Stage>().Act = (_, _) => Ledger.Runs.Count == 1 ? throw new InvalidOperationException("The database is away.") : Task.CompletedTask;
            await node.Quartz.ScheduleJob(
                TriggerBuilder.Create().ForJob(Job).WithIdentity("daily").StartAt(now).WithSimpleSchedule(schedule => schedule.WithInterval(TimeSpan.FromDays(1)).RepeatForever()).Build(),
                cancellationToken: Cancellation);
        }

        await UntilAsync(() => Nodes.TrueForAll(node => node.Verdicts.All.Count == 1), "all have come to it");
        await UntilAsync(() => Nodes.SelectMany(node => node.Log).Any(record => record.Id.Id == 1324), "the failure is told");
        Assert.Equal(2, Nodes.Count(node => node.Verdicts.All[0].IsSkipped));
        var told = Assert.Single(Nodes.SelectMany(node => node.Log), record => record.Id.Id == 1324);
        Assert.Equal(LogLevel.Warning, told.Level);
        Assert.DoesNotContain("ForgetOccurrence", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("OnCrash", told.Message, StringComparison.Ordinal);
        Assert.Contains($"IScheduler.{nameof(IScheduler.TriggerJob)}(", told.Message, StringComparison.Ordinal);

        // On any node, and once.
        await Nodes[2].Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(() => Nodes[2].Verdicts.All.Count == 2, "it ran");
        Assert.False(Nodes[2].Verdicts.All[1].IsSkipped);
        Assert.Equal(2, Ledger.Runs.Count);
    }

    /// <summary>Quartz recovers runs of a process that died, and none that a deployment cancelled.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_by_hand_that_a_stop_cancels_is_a_warning_that_says_what_to_do(bool isPersistent)
    {
        var node = await StartAsync("ada", quartz =>
        {
            quartz.ConfigureScheduler(o => o.ShutdownJobInterruption = ShutdownJobInterruption.Always);
            if (isPersistent)
            {
                quartz.UseJobStore(SharedJobStore.Create);
            }
        });
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await node.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the job runs");
        await node.StopAsync().WaitAsync(Bound, Cancellation);

        var told = Assert.Single(node.Log, record => record.Id.Id is 1324 or 1325 or 1326);
        Assert.Equal((1324, LogLevel.Warning), (told.Id.Id, told.Level));
        Assert.Contains("cancelled", told.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(IScheduler.TriggerJob), told.Message, StringComparison.Ordinal);
    }

    /// <summary>Each node runs such a job for itself, and the next fire follows.</summary>
    [Fact]
    public async Task A_failed_run_that_others_follow_and_that_no_time_is_kept_of_is_no_warning()
    {
        var node = await StartAsync("ada", exclusivity: options => options.Defaults.OncePerFireTime = false);
        node.Services.GetRequiredService<Stage>().Act = (_, _) => throw new InvalidOperationException("The database is away.");
        await node.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Job).WithIdentity("daily").WithSimpleSchedule(schedule => schedule.WithInterval(TimeSpan.FromDays(1)).RepeatForever()).Build(), cancellationToken: Cancellation);
        await UntilAsync(() => node.Log.Any(record => record.Id.Id is 1324 or 1325), "the failure is told");
        Assert.Equal((1325, LogLevel.Information), node.Log.Where(record => record.Id.Id is 1324 or 1325).Select(record => (record.Id.Id, record.Level)).Single());
    }

    private Task<TestScheduler> StartAsync(string name, Action<IQuartzBuilder>? schedule = null, Action<QuartzExclusivityOptions>? exclusivity = null) =>
        StartAsync(_store, name, schedule, exclusivity);
}
