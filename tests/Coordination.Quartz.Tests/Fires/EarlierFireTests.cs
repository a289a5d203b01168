using System.Collections.Concurrent;
using Coordination.Quartz.Tests.Schedulers;
using Quartz;

namespace Coordination.Quartz.Tests.Fires;

/// <summary>Where several fires of a trigger are under way at a time, an earlier one may come second, and comes to its end as if it had been the first.</summary>
[Promise("G11")]
public sealed class EarlierFireTests : LimitTest
{
    private const string Series = "series";

    private readonly DateTimeOffset _later = DateTimeOffset.UtcNow;

    private DateTimeOffset Earlier => _later.AddSeconds(-1);

    [Fact]
    [Failure("F33")]
    public async Task A_fire_that_waits_for_room_is_run_once_though_a_later_one_began_first()
    {
        var nodes = new[] { await StartAsync("ada"), await StartAsync("bob") };
        var cy = await StartAsync("cy");
        var permit = await TakeAsync(LockShare.PermitOf(2), Cancellation);
        await FireAsync(cy, Series, _later);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the later one runs");
        foreach (var node in nodes)
        {
            await FireAsync(node, Series, Earlier);
        }

        await UntilWaitersAsync(2);
        await permit.ReleaseAsync(Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == 2, "the earlier one runs beside");
        Assert.Equal([_later, Earlier], Ledger.Runs.Select(run => run.FireTime));
        Array.ForEach(nodes, node => StageOf(node).LetGo());
        await UntilAsync(() => nodes.All(node => node.Verdicts.All.Count == 1), "both fires are over");
        Assert.Single(nodes, node => node.Verdicts.All[0].IsSkipped);
        Assert.Equal(2, Ledger.Runs.Count);
        Ledger.AssertUpTo(2);
    }

    [Theory]
    [Failure("F33", "F66")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fire_beside_which_a_later_one_has_begun_is_recovered_once(bool dies)
    {
        var cut = new CutOffStore(Store);
        var (ada, cy) = (await StartAsync("ada", Recover, cut), await StartAsync("cy", Recover));
        var others = new[] { await StartAsync("bob", Recover), await StartAsync("di", Recover) };
        await FireAsync(ada, Series, Earlier);
        await UntilAsync(() => Ledger.Runs.Count == 1, "ada runs it");
        foreach (var node in others)
        {
            await FireAsync(node, Series, Earlier);
            await UntilToldAsync(node, 1307);
        }

        await FireAsync(cy, Series, _later);
        await UntilAsync(() => Ledger.Runs.Count == 2, "the later one runs beside");
        if (dies)
        {
            cut.CutOff();
        }
        else
        {
            await ada.StopAsync().WaitAsync(Bound, Cancellation);
        }

        await UntilAsync(() => Ledger.Runs.Count == 3, "the earlier one is run again");
        Assert.Equal([Earlier, _later, Earlier], Ledger.Runs.Select(run => run.FireTime));
        Array.ForEach(others, node => StageOf(node).LetGo());
        await UntilAsync(() => others.All(node => node.Verdicts.All.Count == 1), "both fires are over");
        Assert.Single(others, node => node.Verdicts.All[0].IsSkipped);
        Assert.Equal(3, Ledger.Runs.Count);
        Ledger.AssertUpTo(2);
    }

    /// <summary>Each is another one to recover, so neither stands for the other on a node that stands by.</summary>
    [Fact]
    [Failure("F33")]
    public async Task Two_fires_of_a_trigger_that_die_with_their_node_are_both_recovered()
    {
        var cut = new CutOffStore(Store);
        var isLate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ada = await StartAsync("ada", Recover, cut);
        var bob = await StartAsync("bob", Recover, new SteeredStore(Store) { BeforeOccurrence = _ => isLate.Task });
        var begin = DateTimeOffset.UtcNow;
        await FireTwiceAsync(ada, begin);
        await FireTwiceAsync(bob, begin);
        await UntilAsync(() => Ledger.Runs.Count == 2, "ada runs both");
        isLate.SetResult();
        await UntilToldAsync(bob, 1307, times: 2);
        cut.CutOff();
        await UntilAsync(() => Ledger.Runs.Count == 4, "bob runs both");
        Assert.Distinct(Ledger.Runs.Skip(2).Select(run => run.FireTime));
        StageOf(bob).LetGo();
        await UntilToldAsync(bob, 1301, times: 2);
    }

    [Theory]
    [Failure("F90")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fire_that_fails_beside_a_later_one_is_tried_again_at_once_or_as_it_is_set(bool isRetry)
    {
        var (ada, cy) = (await StartAsync("ada"), await StartAsync("cy"));
        var fails = new Gate();
        StageOf(ada).Act = async (call, _) =>
        {
            if (call == 1)
            {
                await fails.PassAsync();
                throw new JobExecutionException("It fails.") { RefireImmediately = !isRetry };
            }
        };
        await ada.Quartz.ScheduleJob(
            TriggerBuilder.Create().ForJob(Limited).WithIdentity(Series).StartAt(Earlier).WithRetryPolicy(RetryPolicy.Fixed(1, TimeSpan.FromMilliseconds(50))).Build(), cancellationToken: Cancellation);
        await fails.Reached.WaitAsync(Bound, Cancellation);
        await FireAsync(cy, Series, _later);
        await UntilAsync(() => Ledger.Runs.Count == 2, "the later one runs beside");
        fails.Open();
        await UntilAsync(() => Ledger.Runs.Count == 3, "it is tried again");
        await UntilAsync(() => ada.Verdicts.All.Count == (isRetry ? 2 : 1), "it is over");
        Assert.Equal(["ada", "cy", "ada"], Ledger.Runs.Select(run => run.Scheduler));
        Assert.All(ada.Verdicts.All, verdict => Assert.False(verdict.IsSkipped));
        Assert.Equal(0, Told(ada, 1337));
    }

    /// <summary>What is remembered of a retry is the fire that failed, and not that another fire of its trigger ended meanwhile.</summary>
    [Fact]
    public async Task A_retry_is_of_the_same_fire_where_an_earlier_one_has_ended_before_it()
    {
        var asked = new ConcurrentQueue<string>();
        var ada = await StartAsync("ada", store: new SteeredStore(Store) { OnOccurrence = occurrence => asked.Enqueue(occurrence.Run) });
        var ends = new Gate();
        StageOf(ada).Act = (call, _) => call switch
        {
            1 => ends.PassAsync(),
            2 => throw new JobExecutionException("It fails."),
            _ => Task.CompletedTask,
        };
        await FireTwiceAsync(ada, DateTimeOffset.UtcNow, RetryPolicy.Fixed(1, TimeSpan.FromSeconds(2)));
        await UntilAsync(() => ada.Verdicts.All.Count == 1, "the second has failed");
        ends.Open();
        await UntilAsync(() => ada.Verdicts.All.Count == 3, "the first has ended, and the retry");
        Assert.Equal(3, Ledger.Runs.Count);
        Assert.Equal([asked.First(), asked.Last(), asked.Last()], asked);
        Assert.NotEqual(asked.First(), asked.Last());
    }

    [Fact]
    [Promise("G10")]
    [Failure("F75")]
    public async Task A_fire_that_waits_as_its_node_stops_does_not_count_as_run_by_a_later_one()
    {
        var (ada, cy) = (await StartAsync("ada"), await StartAsync("cy"));
        await TakeAsync(LockShare.PermitOf(2), Cancellation);
        await FireAsync(cy, Series, _later);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the later one runs");
        await FireAsync(ada, Series, Earlier);
        await UntilWaitersAsync(1);
        await ada.StopAsync().WaitAsync(Bound, Cancellation);
        Assert.True(Assert.Single(ada.Verdicts.All).IsSkipped);
        Assert.Equal((1, 0), (Told(ada, 1322), Told(ada, 1315)));
    }

    /// <summary>A trigger with two fires, a second apart, the second of which is the last.</summary>
    private static async Task FireTwiceAsync(TestScheduler node, DateTimeOffset begin, RetryPolicy? retry = null) => await node.Quartz.ScheduleJob(
        TriggerBuilder.Create().ForJob(Limited).WithIdentity(Series).StartAt(begin).WithSimpleSchedule(x => x.WithInterval(TimeSpan.FromSeconds(1)).WithRepeatCount(1)).WithRetryPolicy(retry ?? RetryPolicy.None).Build(), cancellationToken: Cancellation);
}
