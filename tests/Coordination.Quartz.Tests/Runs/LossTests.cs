using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

public sealed class LossTests(AnyServerFixture redis) : ClusterTest(redis)
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    [Theory]
    [Failure("F10", "F18")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_lease_interrupts_the_job_and_is_a_failure_whether_or_not_the_job_stops(bool stopsWhenTold)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var node = await StartAsync("ada", quartz => quartz.ScheduleJob<StagedJob>(
            trigger => trigger.WithIdentity("once").StartAt(DateTimeOffset.UtcNow).WithRetryPolicy(RetryPolicy.Fixed(1, TimeSpan.FromMilliseconds(50))),
            job => job.WithIdentity("staged")), services: services => RenewOften(services).AddSingleton(new Stage
            {
                Act = async (call, cancellationToken) =>
                {
                    if (call > 1)
                    {
                        return;
                    }

                    using var registration = cancellationToken.Register(told.SetResult);
                    await told.Task;
                    if (stopsWhenTold)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                    }
                },
            }));
        await Until(() => Ledger.Runs.Count == 1, "the job runs");
        await Database.KeyDeleteAsync(LockKey(LockName));
        await told.Task.WaitAsync(Bound, Cancellation);
        await Until(() => node.Verdicts.All.Count == 2, "the run and its retry are over");
        var (lost, retry) = (node.Verdicts.All[0], node.Verdicts.All[1]);
        Assert.Equal(ExecutionOutcome.Failed, lost.Outcome);
        Assert.Contains("Lease lost", lost.Failure!.Message, StringComparison.Ordinal);
        var cause = Assert.IsType<LeaseLostException>(lost.Failure.InnerException);
        Assert.Equal((LockName, Ledger.Runs[0].Token), (cause.LockName, cause.FencingToken));
        Assert.NotNull(cause.Reason);
        Assert.True(lost.IsRetried);
        Assert.Equal((ExecutionOutcome.Succeeded, false), (retry.Outcome, retry.IsSkipped));
        Assert.True(Ledger.Runs[1].Token > Ledger.Runs[0].Token);
        Assert.Contains(node.Log, record => record.Id.Id == 1306);
        await AssertNothingHeldAsync(LockName);
    }

    [Fact]
    public async Task A_lost_lease_does_not_interrupt_the_fire_that_comes_after()
    {
        var node = await StartAsync("ada", WorkerProcess.Schedule, services: services => RenewOften(services).AddSingleton(new Stage
        {
            // The first run outlasts the test; each after it takes a while in which it could be interrupted.
            Act = (call, cancellationToken) => call == 1 ? Task.Delay(Bound, cancellationToken) : Task.Delay(50, cancellationToken),
        }));
        await Until(() => Ledger.Runs.Count == 1, "the job runs");
        await Database.KeyDeleteAsync(LockKey(LockName));
        await Until(() => node.Verdicts.All.Any(verdict => verdict.Outcome == ExecutionOutcome.Failed), "the run is lost");
        var after = node.Verdicts.All.Count;
        await Until(() => node.Verdicts.All.Count >= after + 2, "two more fires");
        Assert.Single(node.Verdicts.All, verdict => verdict.Outcome != ExecutionOutcome.Succeeded);
        Assert.Equal(SchedulerStatus.Running, node.Quartz.Status);
    }

    /// <summary>So that the loss is learned of soon. A call to the store may take half as long.</summary>
    private static IServiceCollection RenewOften(IServiceCollection services) => services.Configure<CoordinationOptions>(o => o.RenewalInterval = TimeSpan.FromSeconds(2));
}
