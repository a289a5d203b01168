using System.Diagnostics.Metrics;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Quartz;

namespace Coordination.Quartz.Tests.Telemetry;

public sealed class FireMetricsTests(SharedRedis redis) : ClusterTest(redis)
{
    private static readonly JobKey Job = new("staged", "reports");

    [Fact]
    public async Task Fires_are_counted_by_job_and_by_what_became_of_them()
    {
        var stage = new Stage();
        var node = await StartAsync(
            "ada",
            quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()),
            o => o.ForJob<StagedJob>(job => job.LeaseDuration = TimeSpan.FromMilliseconds(500)),
            services: services => services.AddSingleton(stage));
        using var fires = new MetricCollector<long>(node.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.quartz.fires");
        var at = DateTimeOffset.UtcNow.AddSeconds(-1);

        await FireAsync(at, "once");
        await node.Quartz.UnscheduleJob(new TriggerKey("once"), Cancellation);
        await FireAsync(at, "once");
        stage.Act = async (_, cancellationToken) =>
        {
            await Database.KeyDeleteAsync(LockKey("reports.staged"));
            await Task.Delay(Bound, cancellationToken);
        };
        await FireAsync(at.AddSeconds(1), "lost");
        stage.Act = null;
        await Database.StringSetAsync(LockKey("reports.staged"), "not a lock");
        await FireAsync(at.AddSeconds(2), "refused");
        await Database.KeyDeleteAsync(LockKey("reports.staged"));
        await Database.HashSetAsync(LockKey("reports.staged"), [new("owner", "other/1"), new("token", "1"), new("since", "1"), new("e:1", "1")]);
        await FireAsync(at.AddSeconds(3), "held");

        Assert.Equal(["ran", "skipped_already_run", "lost", "skipped_held"], fires.GetMeasurementSnapshot().Select(fire => fire.Tags["coordination.fire.outcome"]));
        Assert.All(fires.GetMeasurementSnapshot(), fire => Assert.Equal(("reports", "staged", 1L), (fire.Tags["quartz.job.group"], fire.Tags["quartz.job.name"], fire.Value)));
        Assert.Equal([1300, 1303, 1306, 1302], node.Log.Where(record => record.Id.Id is 1300 or 1302 or 1303 or 1306).Select(record => record.Id.Id));

        async Task FireAsync(DateTimeOffset time, string trigger)
        {
            var before = node.Verdicts.All.Count;
            await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity(trigger).StartAt(time).Build(), cancellationToken: Cancellation);
            await Until(() => node.Verdicts.All.Count > before, $"the fire '{trigger}' is over");
        }
    }
}
