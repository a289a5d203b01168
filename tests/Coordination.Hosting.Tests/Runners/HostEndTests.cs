using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Tests.Runners;

/// <summary>The work is awaited whatever ends the host, and then the lock is released.</summary>
public sealed class HostEndTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F61")]
    public async Task A_node_whose_start_fails_at_its_very_end_never_led()
    {
        await using var cluster = new Cluster();
        var a = cluster.CreateNode("a", services => services
            .AddExclusiveBackgroundService<WorkingService>()
            .AddSingleton<IHostedService, FailsWhenStarted>());
        await Assert.ThrowsAsync<InvalidOperationException>(() => a.Host.StartAsync(Cancellation));
        await a.AbandonAsync();
        Assert.Equal((0, 0), (a.Work.Terms, cluster.Store.Count));
    }

    [Theory]
    [Promise("G10")]
    [Failure("F61")]
    [InlineData("no stop")]
    [InlineData("beside a stop")]
    [InlineData("after a stop with a cancelled token")]
    [InlineData("after two stops")]
    public async Task A_host_that_is_disposed_awaits_the_work_before_it_disposes_what_the_work_uses(string how)
    {
        await using var cluster = new Cluster();
        var uses = new Uses();
        var a = await cluster.StartNodeAsync("a", services: services => services.AddSingleton(uses).AddSingleton<Resource>().AddHostedService<LateUser>(), work: Draining());
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        var stops = how switch
        {
            "no stop" => Task.CompletedTask,
            "beside a stop" => a.Host.StopAsync(Cancellation),
            "after a stop with a cancelled token" => a.Host.StopAsync(new CancellationToken(canceled: true)),
            _ => Task.WhenAll(a.Host.StopAsync(new CancellationToken(canceled: true)), a.Host.StopAsync(new CancellationToken(canceled: true))),
        };
        if (how != "beside a stop")
        {
            await Record.ExceptionAsync(() => stops);
        }

        var disposal = a.AbandonAsync();
        await Cluster.UntilAsync(() => a.Work.WasTold, "the work of a is told to stop");
        await cluster.AdvanceAsync(Cluster.LeaseDuration / 2, a.Work.Term);
        Assert.True(a.Work.IsRunning);
        Assert.False(disposal.IsCompleted);
        Assert.False(uses.IsDisposed);
        Assert.Equal(LeaseState.Held, a.Work.Term.State);
        Assert.Equal(0, b.Work.Terms);

        // The clock stands still: nothing but the release can make b the leader.
        a.Work.LetGo();
        await disposal.WaitAsync(Bound, Cancellation);
        await b.LeadsAsync();
        Assert.True(uses.IsDisposed);
        await Record.ExceptionAsync(() => stops.WaitAsync(Bound, Cancellation));
        Assert.Equal(LeaseState.Released, a.Work.Term.State);
    }

    [Fact]
    [Failure("F62")]
    public async Task A_host_that_gives_up_on_its_work_keeps_the_lock_for_a_lease_and_says_so()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync(
            "a",
            services: services => services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(50)),
            work: Draining());
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        var term = a.Work.Term;

        await a.StopAsync();
        Assert.Contains("00:00:15", a.Log.Single(record => record.Id.Id == 1209).Message, StringComparison.Ordinal);
        var disposal = a.AbandonAsync();
        await cluster.AdvanceAsync(Cluster.LeaseDuration - TimeSpan.FromSeconds(1), term);
        Assert.Equal(LeaseState.Held, term.State);
        Assert.False(disposal.IsCompleted);
        Assert.Equal(0, a.Logged(1215));
        Assert.Equal(0, b.Work.Terms);

        await cluster.AdvanceUntilAsync(() => disposal.IsCompleted, TimeSpan.FromSeconds(5), "the host is disposed");
        await disposal;
        Assert.Equal(1, a.Logged(1215));
        Assert.Equal((LeaseState.Lost, LeaseLossReason.ProviderDisposed), (term.State, term.LossReason));
        Assert.True(a.Work.IsRunning);
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 2 * Cluster.LeaseDuration, "b takes over");
    }

    [Fact]
    [Failure("F61")]
    public async Task A_container_that_is_disposed_synchronously_awaits_the_work_too()
    {
        await using var cluster = new Cluster();
        var work = Draining();
        var services = Bare(cluster, work).BuildServiceProvider();
        await StartAsync(services);
        await Cluster.UntilAsync(() => work.IsRunning, "the node leads");

        var disposal = Task.Run(services.Dispose, Cancellation);
        await Cluster.UntilAsync(() => work.WasTold, "the work is told to stop");
        Assert.False(disposal.IsCompleted);
        Assert.NotNull(await cluster.HolderAsync(WorkingService.LockName));
        work.LetGo();
        await disposal.WaitAsync(Bound, Cancellation);
        Assert.Equal(LeaseState.Released, work.Term.State);
    }

    [Fact]
    [Failure("F63")]
    public async Task A_host_that_is_started_twice_runs_one_loop()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.Host.StartAsync(Cancellation);
        await a.LeadsAsync();
        foreach (var runner in a.Host.Services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            await runner.StartingAsync(Cancellation);
            await runner.StartAsync(Cancellation);
            await runner.StartedAsync(Cancellation);
        }

        await cluster.AdvanceAsync(Cluster.LeaseDuration, a.Work.Term);
        Assert.True(a.Leadership.IsLeader);
        Assert.Equal((1, 1), (a.Logged(1200), a.Logged(1201)));

        // After a loss, too, there is one term at a time.
        var first = a.Work.Term;
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => first.Lost.IsCancellationRequested && a.Work.Terms == 2, TimeSpan.FromSeconds(12), "a leads again");
        await cluster.AdvanceAsync(Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal((2, 2), (a.Work.Terms, a.Logged(1201)));
    }

    [Theory]
    [Failure("F63")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_calls_nothing_but_StartAsync_has_a_node_that_leads(bool hasLifetime)
    {
        await using var cluster = new Cluster();
        var work = new Work();
        var bare = Bare(cluster, work);
        if (hasLifetime)
        {
            bare.AddSingleton<IHostApplicationLifetime, SilentLifetime>();
        }

        await using var services = bare.BuildServiceProvider();
        await StartAsync(services);
        await Cluster.UntilAsync(() => work.IsRunning, "the node leads");
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StopAsync(Cancellation);
        }

        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
    }

    private static IServiceCollection Bare(Cluster cluster, Work work)
    {
        var services = new ServiceCollection().AddSingleton<TimeProvider>(cluster.Time).AddSingleton(work);
        services.AddCoordination(o => o.LeaseDuration = Cluster.LeaseDuration).UseInMemory(cluster.Store);
        return services.AddExclusiveBackgroundService<WorkingService>();
    }

    private static async Task StartAsync(IServiceProvider services)
    {
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StartAsync(Cancellation);
        }
    }

    private static Work Draining()
    {
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        return work;
    }

    private sealed class FailsWhenStarted : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => throw new InvalidOperationException("The start fails at its very end.");

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
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
