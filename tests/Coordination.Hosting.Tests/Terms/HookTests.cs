using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>What a service may do around its terms.</summary>
public sealed class HookTests
{
    private const int HookFailedLine = 1243;

    [Fact]
    [Promise("G10", "G14")]
    [Failure("F21")]
    public async Task Hooks_are_called_around_the_work_and_the_lock_passes_after_the_one_before_it()
    {
        await using var cluster = new Cluster();
        var stopping = new TaskCompletionSource();
        var a = await StartAsync(cluster, "a", new Hooks { Stopping = (_, _) => stopping.Task });
        await Cluster.UntilAsync(() => a.Node.Work.IsRunning, "a leads");
        var b = await StartAsync(cluster, "b");
        await Cluster.UntilAsync(() => b.Node.Store.IsQueued, "b stands by");
        var term = a.Node.Work.Term;

        var stop = a.Node.StopAsync();
        await Cluster.UntilAsync(() => a.Hooks.Calls.Count == 2, "a withdraws");
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, term);
        Assert.Equal((LeaseState.Held, 0), (term.State, b.Node.Work.Terms));
        Assert.Equal(a.Node.NodeId, (await cluster.HolderAsync(HookedService.LockName))?.Owner.NodeId);

        stopping.SetResult();
        await stop;
        await Cluster.UntilAsync(() => b.Node.Work.IsRunning, "b leads");
        Assert.Equal(["starting Held False", "stopping Held False", "stopped HostStopped Released False"], a.Hooks.Calls);
        AssertNoErrors(a.Node);
    }

    [Fact]
    [Promise("G10")]
    [Failure("F65")]
    public async Task A_hook_that_hangs_after_the_release_is_told_of_and_claims_no_lock()
    {
        await using var cluster = new Cluster();
        var hang = new TaskCompletionSource();
        var a = await StartAsync(cluster, "a", new Hooks { Stopped = _ => hang.Task });
        await Cluster.UntilAsync(() => a.Node.Work.IsRunning, "a leads");
        a.Node.Work.Term.StepDown();
        await Cluster.UntilAsync(() => a.Hooks.Calls.Count == 3, "the hook hangs");
        var status = a.Node.Host.Services.GetRequiredService<ExclusiveServices>().All.Single().Leadership.Status;
        Assert.Equal(ServicePhase.Ended, status.Phase);

        // 1209 and 1215 would say that the lock is held, or given up.
        await a.Node.Host.StopAsync(new CancellationToken(canceled: true));
        Assert.Equal((1, 0), (a.Node.Logged(1251), a.Node.Logged(1209)));
        hang.SetResult();
        await cluster.EndAsync(a.Node);
        Assert.Equal(0, a.Node.Logged(1215));
    }

    [Fact]
    [Promise("G2")]
    [Failure("F24")]
    public async Task After_a_loss_the_hooks_are_called_with_the_lease_lost()
    {
        await using var cluster = new Cluster();
        var told = false;
        var hooks = new Hooks { Stopping = (_, cancellationToken) => Task.FromResult(told = cancellationToken.IsCancellationRequested) };
        var a = await StartAsync(cluster, "a", hooks);
        await Cluster.UntilAsync(() => a.Node.Work.IsRunning, "a leads");
        a.Node.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceUntilAsync(() => hooks.Calls.Count == 3, 2 * Cluster.LeaseDuration, "the term is over");
        Assert.True(told);
        Assert.Equal(["starting Held False", "stopping Lost False"], hooks.Calls.Take(2));
        Assert.StartsWith("stopped LeaseLost", hooks.Calls.Last(), StringComparison.Ordinal);
    }

    [Fact]
    [Promise("G2")]
    [Failure("F21", "F24")]
    public async Task The_lease_is_watched_while_the_hook_runs_and_a_loss_is_told_to_it()
    {
        await using var cluster = new Cluster();
        var hooks = new Hooks { Stopping = static (_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken) };
        var a = await StartAsync(cluster, "a", hooks);
        await Cluster.UntilAsync(() => a.Node.Work.IsRunning, "a leads");
        a.Node.Work.Term.StepDown();
        await Cluster.UntilAsync(() => hooks.Calls.Count == 2, "a withdraws");
        a.Node.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceUntilAsync(() => hooks.Calls.Count == 3, 2 * Cluster.LeaseDuration, "the hook was told");
        Assert.Equal((1, 0), (a.Node.Logged(1203), a.Node.Logged(HookFailedLine)));
    }

    [Theory]
    [Promise("G14")]
    [InlineData(false, CompletionAction.Pause)]
    [InlineData(false, CompletionAction.ContendAgain)]
    [InlineData(true, CompletionAction.Pause)]
    public async Task An_absence_that_is_asked_for_after_the_work_has_ended_by_itself_counts(bool fails, CompletionAction afterCompletion)
    {
        await using var cluster = new Cluster();
        var stayAway = TimeSpan.FromMinutes(5);
        var hooks = new Hooks();
        hooks.Stopping = (term, _) =>
        {
            hooks.Stopping = static (_, _) => Task.CompletedTask;
            term.StepDown(stayAway);
            return Task.CompletedTask;
        };
        var work = new Work();
        work.Do = (_, _) =>
        {
            work.Do = Work.UntilToldAsync;
            return fails ? Task.FromException(new InvalidOperationException("It failed.")) : Task.CompletedTask;
        };
        var a = await StartAsync(cluster, "a", hooks, work, options => (options.AfterCompletion, options.CompletionPause) = (afterCompletion, TimeSpan.FromSeconds(10)));
        await Cluster.UntilAsync(() => a.Hooks.Calls.Count == 3, "the first term is over");
        await cluster.AdvanceUntilAsync(() => a.Node.Work.Terms == 2, TimeSpan.FromMinutes(7), "a leads again", TimeSpan.FromSeconds(5));
        Assert.True(a.Node.TimesOf(1200)[1] - a.Node.TimesOf(1200)[0] >= stayAway);
    }

    [Theory]
    [Promise("G10")]
    [Failure("F22", "F28", "F65")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_hooks_after_the_work_throw_keeps_no_lock_and_is_no_failure(bool isAtOnce)
    {
        await using var cluster = new Cluster();
        async Task ThrowAsync(string message)
        {
            if (!isAtOnce)
            {
                await Task.Yield();
            }

            throw new InvalidOperationException(message);
        }

        var a = await StartAsync(cluster, "a", new Hooks { Stopping = (_, _) => ThrowAsync("stopping"), Stopped = _ => ThrowAsync("stopped") });
        await Cluster.UntilAsync(() => a.Node.Work.IsRunning, "a leads");

        // The clock stands still: a failure would be followed by a backoff.
        a.Node.Work.Term.StepDown();
        await Cluster.UntilAsync(() => a.Node.Work.Terms == 2, "a leads again");
        Assert.Equal(["stopping", "stopped"], a.Node.Log.Where(record => record.Id.Id == HookFailedLine).Select(record => record.Exception!.Message));
        Assert.Contains(a.Node.Log, record => record.Message.Contains("TermStoppingAsync", StringComparison.Ordinal));
        Assert.Equal("stopped SteppedDown Released False", a.Hooks.Calls.ElementAt(2));
        Assert.Equal(0, a.Node.Logged(1204));
    }

    [Fact]
    [Failure("F65", "F86")]
    public async Task What_the_hook_before_the_work_throws_is_a_failure_of_the_term()
    {
        await using var cluster = new Cluster();
        EndedTerm? ended = null;
        var hooks = new Hooks
        {
            Starting = static (_, _) => throw new InvalidOperationException("The registry is away."),
            Stopped = term => Task.FromResult(ended ??= term),
        };
        var a = await StartAsync(cluster, "a", hooks);
        await Cluster.UntilAsync(() => a.Node.Logged(1204) == 1 && ended is not null, "the term has failed");
        Assert.Equal(0, a.Node.Work.Terms);
        Assert.Equal(["starting Held False", "stopping Held False", "stopped WorkFailed Released False"], hooks.Calls.Take(3));
        Assert.Equal("The registry is away.", ended!.Failure?.Message);

        hooks.Starting = static (_, _) => Task.CompletedTask;
        await cluster.AdvanceUntilAsync(() => a.Node.Work.IsRunning, TimeSpan.FromSeconds(5), "a comes back after the backoff");
    }

    [Fact]
    [Promise("G10")]
    [Failure("F25")]
    public async Task Work_does_not_begin_when_its_node_is_told_to_stop_during_the_hook_before_it()
    {
        await using var cluster = new Cluster();
        var starting = new TaskCompletionSource();
        var a = await StartAsync(cluster, "a", new Hooks { Starting = (_, _) => starting.Task });
        await Cluster.UntilAsync(() => a.Hooks.Calls.Count == 1, "the term begins");
        var stop = a.Node.StopAsync();
        Assert.Null(a.Node.Log.FirstOrDefault(record => record.Id.Id == 1202));
        starting.SetResult();
        await stop;
        Assert.Equal(0, a.Node.Work.Terms);
        Assert.Equal("stopped HostStopped Released False", a.Hooks.Calls.Last());
        AssertNoErrors(a.Node);
    }

    private static void AssertNoErrors(TestNode node) => Assert.DoesNotContain(node.Log, record => record.Level >= LogLevel.Warning);

    private static async Task<(TestNode Node, Hooks Hooks)> StartAsync(Cluster cluster, string name, Hooks? hooks = null, Work? work = null, Action<ExclusiveServiceOptions>? configure = null)
    {
        hooks ??= new Hooks();
        var node = cluster.CreateNode(name, s =>
        {
            s.AddSingleton(hooks);
            s.AddExclusiveBackgroundService<HookedService>(configure);
        }, work);
        await node.Host.StartAsync(TestContext.Current.CancellationToken);
        await Cluster.UntilAsync(() => node.Contends, "the node contends");
        return (node, hooks);
    }
}
