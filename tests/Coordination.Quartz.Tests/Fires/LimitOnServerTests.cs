using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>A job that runs twice at a time, on three schedulers that share a server.</summary>
[Promise("G1", "G3", "G11")]
public sealed class LimitOnServerTests(AnyServerFixture redis) : ClusterTest(redis)
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/limited";

    private static readonly JobKey Limited = new("limited");

    /// <summary>Fires come every 100 ms to each, and a run lasts for four of them.</summary>
    [Fact]
    [Failure("F33")]
    public async Task Fire_times_of_three_schedulers_run_twice_at_a_time_and_once_each()
    {
        var begin = DateTimeOffset.UtcNow.AddSeconds(1);
        await StartAllAsync(
            // The work of the job.
            cancellationToken => Task.Delay(400, cancellationToken),
            quartz => quartz.AddTrigger(trigger => trigger.ForJob(Limited).WithIdentity("often").StartAt(begin).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromMilliseconds(100)).RepeatForever())));
        await Until(() => Ledger.Runs.Count(run => run.EndedAt is not null) >= 8, "eight runs are over");
        await Task.WhenAll(Nodes.Select(node => node.StopAsync()));
        Ledger.AssertOncePerFireTime();
        Ledger.AssertUpTo(2);
        Assert.All(Nodes, node => Assert.DoesNotContain(node.Log, record => record.Level >= LogLevel.Error));
        Assert.Contains(Nodes.SelectMany(node => node.Verdicts.All), verdict => verdict.Result is IJobRunReport { Summary: { } why } && why.Contains("All permits of the lock", StringComparison.Ordinal));
    }

    /// <summary>Nobody else runs what is asked for by hand.</summary>
    [Fact]
    public async Task What_is_asked_for_by_hand_waits_for_one_of_two_permits_and_runs_once()
    {
        var step = new SemaphoreSlim(0);
        await StartAllAsync(step.WaitAsync);
        for (var i = 0; i < 6; i++)
        {
            await Nodes[i % 3].Quartz.TriggerJob(Limited, Cancellation);
        }

        for (var ended = 0; ended < 6; ended++)
        {
            var begun = Math.Min(ended + 2, 6);
            await Eventually.IsTrueAsync(async () => Ledger.Runs.Count >= begun && await CountAsync() == (begun - ended, 6 - begun), Bound, $"{begun} runs have begun, and the others wait");
            Assert.Equal(begun, Ledger.Runs.Count);
            step.Release();
        }

        await Until(() => Nodes.Sum(node => node.Verdicts.All.Count) == 6, "all are over");
        Assert.All(Nodes.SelectMany(node => node.Verdicts.All), verdict => Assert.Equal(ExecutionOutcome.Succeeded, verdict.Outcome));
        Assert.Equal(6, Ledger.Runs.Count);
        Ledger.AssertUpTo(2);
        await Eventually.IsTrueAsync(async () => await CountAsync() == (0, 0), Bound, "nothing is held");
    }

    private async Task StartAllAsync(Func<CancellationToken, Task> work, Action<IQuartzBuilder>? schedule = null)
    {
        foreach (var name in (string[])["ada", "bob", "cy"])
        {
            var node = await StartAsync(name, quartz =>
            {
                quartz.AddJob<LimitedJob>(job => job.WithIdentity(Limited).StoreDurably());
                schedule?.Invoke(quartz);
            });
            node.Services.GetRequiredService<Stage>().Act = (_, cancellationToken) => work(cancellationToken);
        }
    }

    private async Task<(int Holders, int Waiters)> CountAsync()
    {
        var inspection = await Nodes[0].Services.GetRequiredService<ILockInspector>().InspectAsync(LockName, cancellationToken: Cancellation);
        return (inspection.Holders.Count, inspection.Waiters.Count);
    }
}
