using System.Diagnostics.Metrics;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
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
                    quartz.AddJob<StagedJob>(job => job.WithIdentity(name).StoreDurably());
                }
            });
        using var active = new MetricCollector<long>(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.lease.active");
        node.Services.GetRequiredService<Stage>().Act = (call, cancellationToken) => (call % 5) switch
        {
            1 => throw new InvalidOperationException("broken"),
            2 => throw new JobExecutionException("again") { RefireImmediately = true },
            3 => Task.FromException(new OperationCanceledException()),
            4 => Task.Delay(1, cancellationToken),
            _ => Task.CompletedTask,
        };

        foreach (var name in names)
        {
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(name).WithIdentity(name).WithSimpleSchedule(TimeSpan.FromMilliseconds(5)).Build(), cancellationToken: Cancellation);
        }

        await Eventually.IsTrueAsync(() => ended.Total >= Fires, TimeSpan.FromSeconds(60), $"{Fires} fires are over");
        await node.StopAsync();

        Assert.Equal(0, node.FiresUnderWay);
        Assert.Equal(0, store.Count);
        Assert.Equal(0, active.GetMeasurementSnapshot().EvaluateAsCounter());
        Assert.True(ended.Total - ended.Skipped > Fires / 2, $"{ended.Skipped} of {ended.Total} were skipped.");
    }

    private sealed class FireCount : IJobListener
    {
        private int _total;
        private int _skipped;

        public string Name => "count";

        public int Total => Volatile.Read(ref _total);

        public int Skipped => Volatile.Read(ref _skipped);

        public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _total);
            if (context.Result is IJobRunReport { Result: JobRunResult.Skipped })
            {
                Interlocked.Increment(ref _skipped);
            }

            return ValueTask.CompletedTask;
        }
    }
}
