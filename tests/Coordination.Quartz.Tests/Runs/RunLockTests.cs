using Coordination.Occurrences;
using Coordination.Quartz.Execution;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>How a run waits where no place in the store's queue helps: it asks again, and not in step with others.</summary>
[Promise("G11")]
public sealed class RunLockTests : LimitTest
{
    private const int Rounds = 8;

    private readonly TestClock _clock = new();
    private readonly FakeLogger _log = new();
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;
    private int _asked;
    private volatile bool _isAway;

    [Fact]
    public async Task A_fire_under_way_beside_free_permits_asks_again_after_pauses_and_takes_none()
    {
        var (runLock, run) = await CreateAsync(LockShare.PermitOf(2));
        var other = run.Fire! with { Run = RunName.Of("other", "scheduler", "1", _now) };
        Assert.True((await GrantAsync(other)).IsGranted);
        var first = await runLock.TryAsync(run, Cancellation);
        Assert.Equal((OccurrenceStatus.Running, 1), (first.Status, _asked));
        var waiting = runLock.WaitAsync(run, first, Timeout.InfiniteTimeSpan, Cancellation);
        await AssertPausesAsync(waiting);
        Assert.Single((await InspectAsync()).Holders);

        await Store.ReleaseAsync(Release() with { Occurrence = other, OccurrenceIsFinished = true }, Cancellation);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(OccurrenceStatus.AlreadyRun, (await waiting.WaitAsync(Bound, Cancellation)).Status);
    }

    [Fact]
    public async Task A_fire_whose_lock_is_in_use_otherwise_asks_again_after_pauses_and_tells_it_once()
    {
        var (runLock, run) = await CreateAsync(LockShare.PermitOf(2));
        Store.Assign(LockName, new LockOwner("other", 1), TimeSpan.FromDays(1));
        var first = await runLock.TryAsync(run, Cancellation);
        Assert.Equal((LockCapacity.Exclusive, OccurrenceStatus.None), (run.InUseAs, first.Status));
        var waiting = runLock.WaitAsync(run, first, Timeout.InfiniteTimeSpan, Cancellation);
        await AssertPausesAsync(waiting);
        Assert.Empty((await InspectAsync()).Waiters);
        Assert.Equal(1356, Assert.Single(_log.Collector.GetSnapshot()).Id.Id);

        Assert.True(Store.Delete(LockName));
        _clock.Advance(TimeSpan.FromSeconds(2));
        await using var lease = (await waiting.WaitAsync(Bound, Cancellation)).Lease;
        Assert.Equal(0, lease!.Permit);
        Assert.Null(run.InUseAs);
        Assert.Equal([1356, 1357], _log.Collector.GetSnapshot().Select(record => record.Id.Id));
    }

    [Fact]
    public async Task A_wait_for_a_time_ends_with_it_where_the_lock_is_in_use_otherwise()
    {
        var (runLock, run) = await CreateAsync(LockShare.PermitOf(2));
        Store.Assign(LockName, new LockOwner("other", 1), TimeSpan.FromDays(1));
        var waiting = runLock.WaitAsync(run, await runLock.TryAsync(run, Cancellation), TimeSpan.FromMilliseconds(300), Cancellation);
        await UntilAsync(() => _clock.Asleep == 1, "it pauses");
        _clock.Advance(TimeSpan.FromMilliseconds(300));
        Assert.Equal(new OccurrenceAttempt(), await waiting.WaitAsync(Bound, Cancellation));
        Assert.Equal(2, _asked);
    }

    /// <summary>As in the store's queue, whatever the fire does when the store is away before it waits.</summary>
    [Fact]
    [Promise("G12")]
    public async Task A_fire_under_way_beside_free_permits_waits_out_a_store_that_is_away()
    {
        var (runLock, run) = await CreateAsync(LockShare.PermitOf(2));
        Assert.True((await GrantAsync(run.Fire! with { Run = RunName.Of("other", "scheduler", "1", _now) })).IsGranted);
        var waiting = runLock.WaitAsync(run, await runLock.TryAsync(run, Cancellation), Timeout.InfiniteTimeSpan, Cancellation);
        await UntilAsync(() => _clock.Asleep == 1, "it pauses");
        _isAway = true;
        _clock.Advance(TimeSpan.FromSeconds(2));
        await UntilAsync(() => _asked > 1 && (_clock.Asleep == 1 || waiting.IsCompleted), "it has asked, and pauses again");
        Assert.False(waiting.IsCompleted);

        // Its run was cut short meanwhile.
        await Store.ReleaseAsync(Release(), Cancellation);
        _isAway = false;
        _clock.Advance(TimeSpan.FromSeconds(2));
        var attempt = await waiting.WaitAsync(Bound, Cancellation);
        await using var lease = attempt.Lease;
        Assert.Equal((true, OccurrenceStatus.Recovering), (lease is not null, attempt.Status));
    }

    /// <summary>The clock goes on in small steps, and nothing happens but at the end of each pause.</summary>
    private async Task AssertPausesAsync(Task waiting)
    {
        var step = TimeSpan.FromMilliseconds(10);
        var pauses = new List<TimeSpan>();
        for (var round = 0; round < Rounds; round++)
        {
            await UntilAsync(() => _clock.Asleep == 1 && _asked == round + 1, "it pauses");
            var (fired, pause) = (_clock.TimersFired, TimeSpan.Zero);
            while (_clock.TimersFired == fired && pause < TimeSpan.FromMinutes(1))
            {
                _clock.Advance(step);
                pause += step;
            }

            pauses.Add(pause);
        }

        await UntilAsync(() => _clock.Asleep == 1 && _asked == Rounds + 1, "it pauses");
        Assert.All(pauses, pause => Assert.InRange(pause, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2) + step));
        Assert.True(pauses.Max() - pauses.Min() > 2 * step, "The pauses are all alike.");
        Assert.False(waiting.IsCompleted);
    }

    /// <summary>A run of a fire of a real scheduler, with a clock for its pauses alone.</summary>
    private async Task<(RunLock Lock, ExclusiveRun Run)> CreateAsync(LockShare share)
    {
        var steered = new SteeredStore(Store)
        {
            BeforeOccurrence = _ =>
            {
                Interlocked.Increment(ref _asked);
                return _isAway ? throw new LockStoreException("It is away.", isTransient: true) : Task.CompletedTask;
            },
        };
        var context = new TaskCompletionSource<IJobExecutionContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        var node = await StartAsync("ada", store: steered, schedule: quartz =>
        {
            quartz.AddJob<CallingJob>(job => job.WithIdentity("any").StoreDurably());
            quartz.Services.AddSingleton(new Calls(call =>
            {
                context.TrySetResult(call);
                return Task.CompletedTask;
            }));
        });
        await node.Quartz.TriggerJob(new JobKey("any"), Cancellation);
        var policy = new ExclusivePolicy(LockName, share, new LockOptions(), null, null, OncePerFireTime: true, JobCrashAction.Recover, null, null);
        var fire = new Occurrence { Series = "series", Time = _now, Run = RunName.Of("ada", "scheduler", "2", _now), Recover = true, RememberFor = TimeSpan.FromDays(1) };
        return (
            new RunLock(node.Services.GetRequiredService<OccurrenceLocks>(), new CapacityConflicts(_log), _clock),
            new ExclusiveRun(await context.Task.WaitAsync(Bound, Cancellation), policy, fire, _log));
    }

    private Task<AcquireReply> GrantAsync(Occurrence occurrence) => Store.AcquireAsync(
        new AcquireRequest
        {
            LockName = LockName,
            Owner = new LockOwner("other", 1),
            Entry = 1,
            LeaseDuration = TimeSpan.FromDays(1),
            ClaimWindow = TimeSpan.FromSeconds(1),
            Share = LockShare.PermitOf(2),
            Occurrence = occurrence,
        },
        Cancellation);

    private static ReleaseRequest Release() => new() { LockName = LockName, Owner = new LockOwner("other", 1), Entry = 1, ClaimWindow = TimeSpan.FromSeconds(1), Share = LockShare.PermitOf(2) };
}
