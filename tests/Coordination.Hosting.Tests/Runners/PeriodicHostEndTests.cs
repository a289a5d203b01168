using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Tests.Runners;

/// <summary>A run of a periodic service is awaited whatever ends the host, as the work of a term is.</summary>
public sealed class PeriodicHostEndTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G10")]
    [Failure("F61")]
    [InlineData("no stop")]
    [InlineData("beside a stop")]
    [InlineData("after a stop with a cancelled token")]
    public async Task A_disposed_host_awaits_the_run_before_it_disposes_what_that_uses(string how)
    {
        await using var cluster = new Cluster();
        var (ends, uses) = (new TaskCompletionSource(), new Uses());
        var a = await PeriodicNode.StartAsync(cluster, "a", work: (_, _) => ends.Task, services: services => services.AddSingleton(uses).AddSingleton<Resource>().AddHostedService<LateUser>());
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        var told = new TaskCompletionSource();

        var stop = how switch
        {
            "no stop" => Task.CompletedTask,
            "beside a stop" => a.Node.Host.StopAsync(Cancellation),
            _ => a.Node.Host.StopAsync(new CancellationToken(canceled: true)),
        };
        if (how != "beside a stop")
        {
            await Record.ExceptionAsync(() => stop);
        }

        // Its first part runs on this thread, and would dispose all that it can.
        var disposal = a.Node.AbandonAsync();
        Assert.False(disposal.IsCompleted);
        Assert.False(uses.IsDisposed);
        await cluster.AdvanceAsync(Cluster.LeaseDuration / 2, a.Runs.All.Single().Lease);
        Assert.False(disposal.IsCompleted);
        Assert.NotNull(await cluster.HolderAsync(CountingService.LockName));

        ends.SetResult();
        await disposal.WaitAsync(Bound, Cancellation);
        Assert.True(uses.IsDisposed);
        Assert.Null(await cluster.HolderAsync(CountingService.LockName));
        await Record.ExceptionAsync(() => stop.WaitAsync(Bound, Cancellation));
    }

    [Fact]
    [Failure("F61", "F62")]
    public async Task A_run_that_outlasts_its_disposed_host_is_given_up_as_the_log_says()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var a = await PeriodicNode.StartAsync(cluster, "a", work: (_, _) => ends.Task);
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        await a.Node.Host.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Bound, Cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Equal(1, a.Node.Logged(1209));

        var disposal = a.Node.AbandonAsync();
        await cluster.AdvanceUntilAsync(() => disposal.IsCompleted, 2 * Cluster.LeaseDuration, "the host is disposed");
        await disposal;
        Assert.Equal(1, a.Node.Logged(1215));
        ends.SetResult();
    }

    [Fact]
    [Promise("G10")]
    public async Task A_host_that_waits_no_longer_speaks_of_no_lock_where_no_run_is_under_way()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var (_, runs) = await PeriodicNode.StartAsync(cluster, "a", work: (_, _) => ends.Task);
        await Cluster.UntilAsync(() => runs.All.Count == 1, "a runs");
        var (b, _) = await PeriodicNode.StartAsync(cluster, "b");
        await PeriodicNode.IsWaitedForAsync(cluster);

        // It waits for the store, which is to take it out of the queue.
        b.Store.ReleaseGate = new TaskCompletionSource().Task;
        await b.Host.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Bound, Cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        var said = (b.Logged(1209), b.Logged(1251));
        b.Store.ReleaseGate = Task.CompletedTask;
        ends.SetResult();
        Assert.Equal((0, 1), said);
    }

    [Fact]
    [Failure("F61")]
    public async Task A_container_that_is_disposed_synchronously_awaits_the_run_too()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var runs = new Runs { Do = (_, _) => ends.Task };
        var services = Bare(cluster, runs).AddSingleton<IHostApplicationLifetime, SilentLifetime>().BuildServiceProvider();
        await StartAsync(services);
        await Cluster.UntilAsync(() => runs.All.Count == 1, "the node runs");

        var disposal = Task.Run(services.Dispose, Cancellation);
        await Cluster.UntilAsync(() => runs.Told, "the run is told to stop");
        Assert.False(disposal.IsCompleted);
        Assert.NotNull(await cluster.HolderAsync(CountingService.LockName));
        ends.SetResult();
        await disposal.WaitAsync(Bound, Cancellation);
        Assert.Null(await cluster.HolderAsync(CountingService.LockName));
    }

    [Theory]
    [Failure("F63")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_calls_nothing_but_StartAsync_has_a_node_that_runs(bool hasLifetime)
    {
        await using var cluster = new Cluster();
        var runs = new Runs();
        var bare = Bare(cluster, runs);
        if (hasLifetime)
        {
            bare.AddSingleton<IHostApplicationLifetime, SilentLifetime>();
        }

        await using var services = bare.BuildServiceProvider();
        await StartAsync(services);
        await Cluster.UntilAsync(() => runs.All.Count == 1, "the node runs");
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StopAsync(Cancellation);
        }
    }

    [Fact]
    [Failure("F63")]
    public async Task A_host_that_is_started_twice_runs_each_slot_once()
    {
        await using var cluster = new Cluster();
        var a = await PeriodicNode.StartAsync(cluster, "a");
        await a.Node.Host.StartAsync(Cancellation);
        await Cluster.UntilAsync(() => a.Node.Logged(1221) == 1, "a has run");
        await PeriodicNode.PassAsync(cluster, PeriodicNode.Interval);
        await Cluster.UntilAsync(() => a.Node.Logged(1221) == 2, "a has run again");
        Assert.Equal(2, a.Runs.All.Count);
    }

    [Fact]
    [Failure("F61")]
    public async Task A_run_by_hand_is_told_and_awaited_by_the_end_of_a_host_that_never_started()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var a = PeriodicNode.Create(cluster, "a", work: (_, _) => ends.Task);
        var trigger = a.Node.Host.Services.GetRequiredService<IPeriodicTrigger<CountingService>>();
        var run = trigger.RunNowAsync(Cancellation);
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");

        var disposal = a.Node.AbandonAsync();
        await Cluster.UntilAsync(() => a.Runs.Told, "the run is told to stop");
        Assert.False(disposal.IsCompleted);
        ends.SetResult();
        await disposal.WaitAsync(Bound, Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trigger.RunNowAsync(Cancellation));
        Assert.Single(a.Runs.All);
    }

    [Theory]
    [Promise("G10")]
    [Failure("F61")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_lock_is_held_while_callbacks_on_the_token_of_the_work_still_run(bool isPeriodic)
    {
        await using var cluster = new Cluster();
        using var gate = new ManualResetEventSlim();
        var (entered, begun) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        ILease lease = null!;
        var a = isPeriodic
            ? PeriodicNode.Create(cluster, "a", work: (run, stop) => WorkAsync(run.Lease, stop)).Node
            : cluster.CreateNode("a", services => services.AddRunOnce("schema", (run, stop) => WorkAsync(run.Lease, stop)));
        var start = a.Host.StartAsync(Cancellation);
        await begun.Task.WaitAsync(Bound, Cancellation);

        // The callback that came last is called first, and with it the work returns.
        var stop = Task.Run(a.Lifetime.StopApplication, Cancellation);
        await entered.Task.WaitAsync(Bound, Cancellation);
        await cluster.AdvanceAsync(Cluster.LeaseDuration, lease);
        gate.Set();
        await Cluster.UntilAsync(() => lease.State == LeaseState.Released, "the lock is released");
        await Task.WhenAll(start, stop).WaitAsync(Bound, Cancellation);

        Task WorkAsync(ILease given, CancellationToken stop)
        {
            lease = given;
            stop.UnsafeRegister(
                _ =>
                {
                    entered.SetResult();
                    gate.Wait(Bound);
                },
                null);
            var told = new TaskCompletionSource();
            stop.UnsafeRegister(_ => told.TrySetCanceled(stop), null);
            begun.SetResult();
            return told.Task;
        }
    }

    private static IServiceCollection Bare(Cluster cluster, Runs runs)
    {
        var services = new ServiceCollection().AddSingleton<TimeProvider>(cluster.Time).AddSingleton(runs);
        services.AddCoordination(o =>
        {
            o.LeaseDuration = Cluster.LeaseDuration;
            o.ApplicationName = "Coordination.Hosting.Tests";
        }).UseInMemory(cluster.Store);
        return services.AddExclusivePeriodicService<CountingService>(o => o.Interval = PeriodicNode.Interval);
    }

    private static async Task StartAsync(IServiceProvider services)
    {
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StartAsync(Cancellation);
        }
    }

    private sealed class Uses
    {
        public volatile bool IsDisposed;
    }

    /// <summary>What the work may use as well, and the container makes only after the runner.</summary>
    private sealed class Resource(Uses uses) : IDisposable
    {
        public void Dispose() => uses.IsDisposed = true;
    }

    private sealed class LateUser(Resource resource) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.FromResult(resource);
    }
}
