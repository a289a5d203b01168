using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>A run that takes too long is told first; its lease is renewed until it has returned.</summary>
[Failure("F64")]
public sealed class RunTimeTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan MaxRunTime = TimeSpan.FromSeconds(30);
    private static readonly JobKey Job = new("staged");

    private readonly TestClock _clock = new();
    private readonly ControllableLockStore _store;
    private readonly Ledger _ledger = new();

    public RunTimeTests() => _store = new ControllableLockStore(_clock);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_stops_when_it_is_told_ends_as_a_failure()
    {
        await using var node = await StartAsync();
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => stage.Calls == 1, "the job runs");
        _clock.Advance(MaxRunTime);
        await Until(() => node.Verdicts.All.Count == 1, "the run is over");

        Assert.Equal(ExecutionOutcome.Failed, node.Verdicts.All[0].Outcome);
        Assert.Contains("MaxRunTime", node.Verdicts.All[0].Failure!.Message, StringComparison.Ordinal);
        Assert.Contains(node.Log, record => record.Id.Id == 1351);
        await Until(() => _store.Count == 0, "the lease is released");
    }

    [Fact]
    public async Task A_job_that_goes_on_keeps_its_lease_until_it_returns()
    {
        await using var node = await StartAsync();
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stage = node.Services.GetRequiredService<Stage>();
        stage.Act = async (_, cancellationToken) =>
        {
            using var registration = cancellationToken.Register(told.SetResult);
            await stage.HoldOutAsync();
        };
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => stage.Calls == 1, "the job runs");
        _clock.Advance(MaxRunTime);
        await told.Task.WaitAsync(Bound, Cancellation);

        // For longer than its lease lasts with no renewal.
        var lease = _ledger.Runs[0].Lease!;
        for (var passed = TimeSpan.Zero; passed < Lease * 3; passed += Lease / 2)
        {
            // Less than a third of the lease is left of four fifths, unless the holder has learned that it is renewed.
            _clock.Advance(Lease / 2);
            var looks = 0;
            await Until(
                () =>
                {
                    // The watchdog may have set its timer by the time before: then it looks a second later, which a clock that stands still would keep from it.
                    if (++looks % 50 == 0)
                    {
                        _clock.Advance(TimeSpan.FromSeconds(1));
                    }

                    return lease.Remaining > Lease / 2;
                },
                "the lease is renewed, and its holder knows");
        }

        Assert.Equal(_ledger.Runs[0].Token, (await _store.GetHolderAsync("tests/QuartzScheduler/DEFAULT/staged", Cancellation))!.FencingToken);
        stage.LetGo();
        await Until(() => node.Verdicts.All.Count == 1 && _store.Count == 0, "the run is over");
        Assert.Equal(ExecutionOutcome.Succeeded, node.Verdicts.All[0].Outcome);
    }

    [Fact]
    public async Task A_run_that_is_over_in_time_is_not_told()
    {
        await using var node = await StartAsync();
        await node.Quartz.TriggerJob(Job, Cancellation);
        await Until(() => node.Verdicts.All.Count == 1, "the run is over");
        _clock.Advance(MaxRunTime);
        Assert.Equal(ExecutionOutcome.Succeeded, node.Verdicts.All[0].Outcome);
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1351);
    }

    private static Task Until(Func<bool> condition, string what) => Eventually.IsTrueAsync(condition, Bound, what);

    private Task<TestScheduler> StartAsync() => TestScheduler.StartAsync(
        _store,
        _ledger,
        "ada",
        quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()),
        options => options.ForJob<StagedJob>(job => (job.MaxRunTime, job.LeaseDuration) = (MaxRunTime, Lease)),
        services: services => services.AddSingleton<TimeProvider>(_clock));
}
