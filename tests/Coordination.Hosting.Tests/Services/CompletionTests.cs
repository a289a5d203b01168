using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Services;

/// <summary>What follows a term that the work ended itself: by an exception, or by returning.</summary>
public sealed class CompletionTests
{
    [Fact]
    public async Task A_node_whose_work_throws_passes_the_lock_on_and_comes_back_after_a_backoff()
    {
        await using var cluster = new Cluster();
        var throws = new TaskCompletionSource();
        var a = await cluster.StartNodeAsync("a", work: new Work { Do = (_, _) => throws.Task });
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        // No time passes before b leads.
        a.Work.Do = Work.UntilToldAsync;
        throws.SetException(new InvalidOperationException("the work broke"));
        await b.LeadsAsync();
        await Cluster.UntilAsync(() => a.Logged(1204) > 0, "a has said what broke");
        var failure = Assert.Single(a.Log, record => record.Id.Id == 1204);
        Assert.Equal(LogLevel.Error, failure.Level);
        Assert.IsType<InvalidOperationException>(failure.Exception);

        // Nor does a queue for the lock before its backoff is over.
        await b.StopAsync();
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
        Assert.Equal(1, a.Logged(1200));
        await cluster.AdvanceUntilAsync(() => a.Work.Terms == 2, TimeSpan.FromSeconds(8), "a leads again");
        Assert.True(a.TimesOf(1200)[1] - a.TimesOf(1204)[0] >= TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Work_that_throws_comes_back_less_and_less_often_and_a_good_run_starts_that_anew()
    {
        await using var cluster = new Cluster();
        const int Failures = 6;
        var breaks = new TaskCompletionSource();
        var work = new Work();
        work.Do = (term, stoppingToken) => work.Terms switch
        {
            <= Failures => throw new InvalidOperationException("before the first await"),
            Failures + 1 => breaks.Task,
            _ => Work.UntilToldAsync(term, stoppingToken),
        };
        var a = await cluster.StartNodeAsync("a", o => o.MaxRestartDelay = TimeSpan.FromSeconds(30), work: work);

        // 1, 2, 4, 8 and 15 s at least, and never more than 30.
        await cluster.AdvanceUntilAsync(() => work.Terms > Failures, TimeSpan.FromMinutes(3), "the term after the failures", TimeSpan.FromSeconds(1));
        for (var failure = 1; failure < Failures; failure++)
        {
            var away = a.TimesOf(1201)[failure] - a.TimesOf(1204)[failure - 1];
            Assert.True(away >= TimeSpan.FromSeconds(Math.Min(Math.Pow(2, failure - 1), 15)), $"Came back after {away} from failure {failure}.");
        }

        await cluster.AdvanceAsync(TimeSpan.FromMinutes(1), work.Term);
        breaks.SetException(new InvalidOperationException("after a good run"));
        await Cluster.UntilAsync(() => a.Logged(1204) == Failures + 1, "the failure after a good run");
        await cluster.AdvanceUntilAsync(() => work.Terms == Failures + 2, TimeSpan.FromSeconds(14), "a leads again soon", TimeSpan.FromMilliseconds(200));
        var soon = a.TimesOf(1201)[Failures + 1] - a.TimesOf(1204)[Failures];
        Assert.InRange(soon, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(14));
    }

    [Fact]
    public async Task An_OperationCanceledException_of_another_token_is_a_failure()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", work: new Work { Do = (_, _) => Task.FromCanceled(new CancellationToken(canceled: true)) });
        await Cluster.UntilAsync(() => a.Logged(1204) == 1, "the failure is logged");
        Assert.IsAssignableFrom<OperationCanceledException>(a.Log.Single(record => record.Id.Id == 1204).Exception);
        Assert.Equal(0, a.Logged(1202));
    }

    [Fact]
    public async Task An_OperationCanceledException_after_a_loss_is_a_normal_end()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => a.Work.Terms >= 2, TimeSpan.FromSeconds(12), "a leads again, with no backoff");
        Assert.Equal(0, a.Logged(1204));
        Assert.True(a.Logged(1202) >= 1);
    }

    [Theory]
    [Failure("F26")]
    [InlineData(null)]
    [InlineData(1200)]
    [InlineData(1202)]
    [InlineData(1203)]
    [InlineData(1205)]
    public async Task A_log_that_throws_ends_nothing(int? eventId)
    {
        await using var cluster = new Cluster();
        var broken = new BrokenLog { BreaksOn = eventId };
        var ignoring = new Work();
        ignoring.Do = ignoring.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", services: s => broken.AddTo(s), work: ignoring);
        await a.LeadsAsync();
        var first = a.Work.Term;
        broken.IsBroken = true;
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => first.Lost.IsCancellationRequested, TimeSpan.FromSeconds(12), "the lease is lost");
        await cluster.AdvanceAsync(TimeSpan.FromMinutes(1));
        if (eventId is 1203 or 1205)
        {
            // These lines are said only while the work still runs.
            await cluster.AdvanceUntilAsync(() => broken.Breaks >= 1, TimeSpan.FromMinutes(5), "the log throws while the work runs", TimeSpan.FromSeconds(5));
        }

        // The same node must not contend, for its work still runs.
        Assert.Equal(1, a.Work.Terms);
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
        ignoring.Do = Work.UntilToldAsync;
        ignoring.LetGo();

        // The log is whole again only when it has thrown where it was to: with every line, also in telling of the failure that it was itself.
        await cluster.AdvanceUntilAsync(() => broken.Breaks >= (eventId is null ? 3 : 1), TimeSpan.FromMinutes(5), "the log throws", TimeSpan.FromSeconds(5));
        broken.IsBroken = false;
        await cluster.AdvanceUntilAsync(() => a.Work.Terms >= 2, TimeSpan.FromMinutes(2), "a leads again", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task After_completion_the_node_pauses_by_default()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", work: new Work { Do = (_, _) => Task.CompletedTask });
        await Cluster.UntilAsync(() => a.Logged(1202) == 1, "the first term is over");
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
        await cluster.AdvanceUntilAsync(() => a.Work.Terms >= 2, TimeSpan.FromSeconds(12), "the second term");
        Assert.True(a.TimesOf(1201)[1] - a.TimesOf(1202)[0] >= TimeSpan.FromSeconds(5));
        Assert.Equal(0, a.Logged(1204));
    }

    [Fact]
    public async Task After_completion_a_node_may_contend_again_at_once_behind_those_that_wait()
    {
        await using var cluster = new Cluster();
        var order = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var first = new TaskCompletionSource();
        var a = await cluster.StartNodeAsync("a", Again, work: Noting("a"));
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", Again, work: Noting("b"));
        await b.StandsByAsync();

        first.SetResult();
        await Cluster.UntilAsync(() => a.Work.Terms + b.Work.Terms >= 6, "six terms with no time passing");
        Assert.Equal("b", order.ElementAt(1));

        static void Again(ExclusiveServiceOptions options) => options.AfterCompletion = CompletionAction.ContendAgain;

        Work Noting(string name) => new()
        {
            Do = (_, stoppingToken) =>
            {
                order.Enqueue(name);
                return order.Count >= 6 ? Task.Delay(Timeout.Infinite, stoppingToken) : first.Task;
            },
        };
    }

    [Fact]
    public async Task After_completion_by_option_the_node_never_contends_again_and_others_do()
    {
        await using var cluster = new Cluster();
        var once = new Work { Do = (_, _) => Task.CompletedTask };
        var a = await cluster.StartNodeAsync("a", o => o.AfterCompletion = CompletionAction.Never, work: once);
        await Cluster.UntilAsync(() => a.Logged(1211) == 1, "a has completed");
        await cluster.AdvanceAsync(TimeSpan.FromHours(1));

        var b = await cluster.StartNodeAsync("b");
        await b.LeadsAsync();
        await cluster.AdvanceUntilAsync(() => a.Leadership.Leader?.NodeId == b.NodeId, 2 * Cluster.LeaseDuration, "a sees b lead", keep: b.Work.Term);
        await b.StopAsync();
        Assert.Equal(1, a.Work.Terms);
        await a.StopAsync();
    }
}
