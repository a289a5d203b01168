using Coordination.Hosting.Execution;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>What a node does about work that ignores the loss of its lease.</summary>
public sealed class OverdueTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    [Fact]
    [Failure("F24", "F62")]
    public async Task A_host_that_stops_because_of_overdue_work_does_not_wait_for_it()
    {
        await using var cluster = new Cluster();
        var a = await LoseAsync(cluster, OverdueAction.StopHost);
        await cluster.AdvanceUntilAsync(() => a.Lifetime.ApplicationStopping.IsCancellationRequested, TimeSpan.FromSeconds(10), "the host stops");

        // It has 30 s of real time, and they are not used.
        await a.StopAsync().WaitAsync(Bound, TestContext.Current.CancellationToken);
        await a.AbandonAsync().WaitAsync(Bound, TestContext.Current.CancellationToken);
        Assert.True(a.Work.IsRunning);
        Assert.Equal((1, 0, 0), (a.Logged(1206), a.Logged(1209), a.Logged(1215)));
    }

    [Fact]
    [Failure("F62")]
    public async Task A_host_that_stops_already_does_not_wait_for_work_that_turns_out_to_be_overdue()
    {
        await using var cluster = new Cluster();
        var a = await LoseAsync(cluster, OverdueAction.StopHost);
        var stop = a.StopAsync();
        Assert.False(stop.IsCompleted);
        await cluster.AdvanceUntilAsync(() => stop.IsCompleted, TimeSpan.FromSeconds(10), "the host has stopped");
        await stop;
        Assert.True(a.Work.IsRunning);
    }

    [Fact]
    [Failure("F62")]
    public async Task By_option_the_process_ends_after_the_line_that_says_why()
    {
        await using var cluster = new Cluster();
        var ended = new TaskCompletionSource<int>();
        var a = await LoseAsync(cluster, OverdueAction.EndProcess, services => services.AddSingleton(provider => new ProcessEnd(provider.GetRequiredService<TelemetryDispatcher>(), code => ended.TrySetResult(code))));
        Assert.False(ended.Task.IsCompleted);
        await cluster.AdvanceUntilAsync(() => ended.Task.IsCompleted, TimeSpan.FromSeconds(10), "the process ends");
        Assert.Equal(70, await ended.Task);
        Assert.Equal(LogLevel.Critical, a.Log.First(record => record.Id.Id == 1216).Level);
        Assert.True(a.Work.IsRunning);
    }

    [Fact]
    [Failure("F62")]
    public async Task By_default_nothing_ends()
    {
        await using var cluster = new Cluster();
        var a = await LoseAsync(cluster, new ExclusiveServiceOptions().OnOverdue, services => services.AddSingleton(provider => new ProcessEnd(provider.GetRequiredService<TelemetryDispatcher>(), _ => Assert.Fail("The process ends."))));
        await cluster.AdvanceUntilAsync(() => a.Logged(1205) >= 3, TimeSpan.FromMinutes(1), "it is warned of");
        Assert.False(a.Lifetime.ApplicationStopping.IsCancellationRequested);
        Assert.Equal((0, 0), (a.Logged(1206), a.Logged(1216)));
    }

    /// <summary>A node whose work ignores that its lease is lost, and is overdue in five seconds.</summary>
    private static async Task<TestNode> LoseAsync(Cluster cluster, OverdueAction action, Action<IServiceCollection>? services = null)
    {
        var ignoring = new Work();
        ignoring.Do = ignoring.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", o => (o.OnOverdue, o.OverdueAfter) = (action, TimeSpan.FromSeconds(5)), services, ignoring);
        await a.LeadsAsync();
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => a.Logged(1203) == 1, TimeSpan.FromSeconds(12), "the lease is lost");
        Assert.Equal(0, a.Logged(1205));
        return a;
    }
}
