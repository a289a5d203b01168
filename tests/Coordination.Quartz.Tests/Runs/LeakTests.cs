using System.Diagnostics.Metrics;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>What is left after many fires.</summary>
public sealed class LeakTests
{
    private const int Fires = 10_000;
    private const int Jobs = 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_thousand_fires_that_end_in_every_way_leave_no_lease()
    {
        var store = new InMemoryLockStore();
        var ended = new FireCount();
        var names = Enumerable.Range(1, Jobs).Select(job => $"job-{job}").ToList();
        await using var node = await TestScheduler.StartAsync(
            store,
            new Ledger(),
            "ada",
            quartz =>
            {
                quartz.UseDefaultThreadPool(Jobs).AddJobListener(ended);
                foreach (var name in names)
                {
                    // Two jobs to a lock, so that some are skipped.
                    quartz.AddJob<StagedJob>(job => job.WithIdentity(name).StoreDurably().UsingJobData("lock", names.IndexOf(name) / 2));
                }
            },
            options => options.ForJob<StagedJob>(job => job.Name = "lock-{lock}"));
        using var active = new MetricCollector<long>(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.lease.active");
        node.Services.GetRequiredService<Stage>().Act = (call, cancellationToken) => (call % 5) switch
        {
            1 => throw new InvalidOperationException("broken"),
            2 => throw new JobExecutionException("again") { RefireImmediately = true },
            3 => Task.FromException(new OperationCanceledException()),
            // Ends on a thread of a timer.
            4 => Task.Delay(1, cancellationToken),
            _ => Task.CompletedTask,
        };

        foreach (var name in names)
        {
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(name).WithIdentity(name).WithSimpleSchedule(TimeSpan.FromMilliseconds(5)).Build(), cancellationToken: Cancellation);
        }

        await Eventually.IsTrueAsync(() => ended.Ran >= Fires, TimeSpan.FromMinutes(1), $"{Fires} fires were run");
        await node.StopAsync();

        Assert.Equal(0, node.FiresUnderWay);
        Assert.Equal(0, store.Count);
        active.RecordObservableInstruments();
        Assert.Equal(0, active.LastMeasurement!.Value);
        Assert.NotEqual(0, ended.Skipped);
    }

    private sealed class FireCount : IJobListener
    {
        private int _ran;
        private int _skipped;

        public string Name => "count";

        public int Ran => Volatile.Read(ref _ran);

        public int Skipped => Volatile.Read(ref _skipped);

        public ValueTask JobExecutionVetoed(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _skipped);
            return ValueTask.CompletedTask;
        }

        public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _ran);
            return ValueTask.CompletedTask;
        }
    }
}
