using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>A run that is over, and whose lease the store does not confirm to be released.</summary>
[Promise("G5")]
public sealed class ReleaseTests : NodesTest
{
    private const string LockName = "tests/QuartzScheduler/DEFAULT/staged";

    private readonly ControllableLockStore _store = new();

    [Theory]
    [InlineData(false, ReleaseResult.Released)]
    [InlineData(true, ReleaseResult.NotHeld)]
    public async Task A_lock_that_was_no_longer_held_when_its_run_ended_is_warned_of(bool isLost, ReleaseResult result)
    {
        // The node learns of it at its next renewal, which comes after the release.
        await RunAsync(() => Assert.Equal(isLost, isLost && _store.LoseLock(LockName)));
        AssertWarned(result);
    }

    [Fact]
    [Failure("F28")]
    public async Task A_store_that_is_away_when_a_run_ended_is_warned_of()
    {
        await RunAsync(() => _store.IsAway = true);
        AssertWarned(ReleaseResult.Unknown);
        _store.IsAway = false;
    }

    private void AssertWarned(ReleaseResult result)
    {
        var told = Nodes[0].Log.Where(record => record.Id.Id == 1309).ToList();
        Assert.Equal(result == ReleaseResult.Released ? 0 : 1, told.Count);
        Assert.All(told, record =>
        {
            Assert.Equal(LogLevel.Warning, record.Level);
            Assert.Contains($"'{LockName}', token {Ledger.Runs[0].Token}, release: {result}.", record.Message, StringComparison.Ordinal);
            Assert.Contains(Job.ToString(), record.Message, StringComparison.Ordinal);
        });
    }

    private async Task RunAsync(Action act)
    {
        // A release is tried for as long as the lease lasts.
        var node = await TestScheduler.StartAsync(
            _store, Ledger, "ada", quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()), o => o.Defaults.LeaseDuration = TimeSpan.FromSeconds(5));
        Nodes.Add(node);
        node.Services.GetRequiredService<Stage>().Act = (_, _) =>
        {
            act();
            return Task.CompletedTask;
        };
        await node.Quartz.ScheduleJob(TriggerBuilder.Create().ForJob(Job).WithIdentity("once").StartNow().Build(), cancellationToken: Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.False(node.Verdicts.All[0].IsSkipped);
    }
}
