using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>Fires that a scheduler comes to so late that it takes them for missed, and fires them "now".</summary>
public sealed class MisfireTests(AnyServerFixture redis) : ClusterTest(redis)
{
    private static readonly JobKey Job = new("staged");
    private static readonly JobKey Blocking = new("blocking");

    [Theory]
    [Promise("G11")]
    [Failure("F33")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_missed_fire_is_run_late_only_if_nobody_ran_it_in_time(bool wasRunInTime)
    {
        var late = await StartAsync(
            "late",
            quartz => Add(quartz).UseDefaultThreadPool(1).UseInMemoryStore(o => o.MisfireThreshold = TimeSpan.FromMilliseconds(200)).AddJob<StagedJob>(job => job.WithIdentity(Blocking).StoreDurably()),
            options => options.ForJob(Blocking, job => job.Name = "blocking"));
        var punctual = await StartAsync("punctual", quartz => Add(quartz));
        var missed = new MisfireCount();
        late.Quartz.ListenerManager.AddTriggerListener(missed);
        var stage = late.Services.GetRequiredService<Stage>();
        stage.Act = (call, cancellationToken) => call == 1 ? stage.HoldAsync(cancellationToken) : Task.CompletedTask;
        await late.Quartz.TriggerJob(Blocking, Cancellation);
        await Until(() => stage.Calls == 1, "the one thread is busy");

        var time = DateTimeOffset.UtcNow.AddMilliseconds(100);
        await FireAsync(late, time);
        if (wasRunInTime)
        {
            await FireAsync(punctual, time);
            await Until(() => punctual.Verdicts.All.Count == 1, "the fire was run in time");
        }

        await Until(() => DateTimeOffset.UtcNow > time.AddSeconds(1), "it is too late");
        stage.LetGo();
        await Until(() => late.Verdicts.All.Any(verdict => verdict.Job.Equals(Job)), "the late one has come to it");

        Assert.Equal(1, missed.Count);
        var run = Assert.Single(Ledger.Runs, run => run.Job.Equals(Job));
        Assert.Equal(wasRunInTime ? "punctual" : "late", run.Scheduler);
        Assert.Equal(time, run.FireTime, TimeSpan.FromMilliseconds(1));
    }

    private static IQuartzBuilder Add(IQuartzBuilder quartz) => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());

    private static async Task FireAsync(TestScheduler node, DateTimeOffset time) =>
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity("once").StartAt(time).Build(), cancellationToken: Cancellation);

    private sealed class MisfireCount : ITriggerListener
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public ValueTask TriggerMisfired(ITrigger trigger, IScheduler scheduler, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _count);
            return ValueTask.CompletedTask;
        }
    }
}
