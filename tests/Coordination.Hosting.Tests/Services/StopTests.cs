using Coordination.Hosting.Runners;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Tests.Services;

/// <summary>What happens when a host stops.</summary>
public sealed class StopTests
{
    [Fact]
    [Promise("G10")]
    public async Task A_stop_cancels_the_work_awaits_it_and_then_releases_so_the_standby_runs_at_once()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", work: Draining());
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await Cluster.UntilAsync(() => b.Leadership.Leader?.NodeId == a.NodeId, "b stands by");

        var stop = a.StopAsync();
        await Cluster.UntilAsync(() => a.Work.WasTold, "the work of a is told to stop");
        Assert.False(stop.IsCompleted);
        Assert.Equal(a.NodeId, (await cluster.HolderAsync(WorkingService.LockName))?.Owner.NodeId);
        Assert.False(b.Work.IsRunning);

        // The clock stands still from here on: nothing but the release can make b the leader.
        a.Work.LetGo();
        await stop;
        await b.LeadsAsync();
        Assert.True(b.Work.Term.FencingToken > a.Work.Term.FencingToken);
        Assert.False(a.Work.IsRunning);
        Assert.Equal(1, a.Logged(1202));
    }

    [Fact]
    [Failure("F21")]
    public async Task The_lease_is_renewed_while_the_work_drains_and_released_after()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", work: Draining());
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");

        var stop = a.StopAsync();
        await Cluster.UntilAsync(() => a.Work.WasTold, "the work of a is told to stop");
        await cluster.AdvanceAsync(3 * Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal(LeaseState.Held, a.Work.Term.State);
        Assert.True(a.Leadership.IsLeader);
        Assert.Equal(0, b.Work.Terms);

        // It may have had no turn to ask again while the time passed, and then asks when the lease that it knows of is over.
        a.Work.LetGo();
        await stop;
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 2 * Cluster.LeaseDuration, "b leads");
        Assert.Equal(LeaseState.Released, a.Work.Term.State);
    }

    [Fact]
    [Failure("F22")]
    public async Task StopAsync_awaits_the_release()
    {
        await using var cluster = new Cluster();
        var released = new TaskCompletionSource();
        var a = await cluster.StartNodeAsync("a");
        a.Store.ReleaseGate = released.Task;
        await a.LeadsAsync();

        var stop = a.StopAsync();
        await Cluster.UntilAsync(() => a.Work.Term.State == LeaseState.Released, "the release is under way");
        await Cluster.UntilAsync(() => !a.Leadership.IsLeader, "a does not lead any more");
        Assert.False(stop.IsCompleted);
        Assert.NotNull(await cluster.HolderAsync(WorkingService.LockName));

        released.SetResult();
        await stop;
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
    }

    [Fact]
    [Failure("F22")]
    public async Task After_the_shutdown_timeout_the_lock_stays_held_until_the_work_has_returned()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync(
            "a",
            services: s => s.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(50)),
            work: Draining());
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");

        await a.StopAsync();
        Assert.Equal(1, a.Logged(1209));
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal(a.NodeId, (await cluster.HolderAsync(WorkingService.LockName))?.Owner.NodeId);
        Assert.Equal(0, b.Work.Terms);

        // It may have had no turn to ask again while the time passed, and then asks when the lease that it knows of is over.
        a.Work.LetGo();
        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, 2 * Cluster.LeaseDuration, "b leads");
    }

    [Fact]
    [Failure("F23")]
    public async Task The_release_is_sent_also_when_StopAsync_gets_a_cancelled_token()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", work: Draining());
        await a.LeadsAsync();

        var runner = a.Host.Services.GetServices<IHostedService>().OfType<ExclusiveServiceRunner>().Single();
        await runner.StopAsync(new CancellationToken(canceled: true));
        await Cluster.UntilAsync(() => a.Work.WasTold, "the work of a is told to stop");
        Assert.NotNull(await cluster.HolderAsync(WorkingService.LockName));

        a.Work.LetGo();
        await Cluster.UntilAsync(() => a.Logged(1202) == 1, "the term ended");
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
    }

    [Fact]
    [Failure("F25")]
    public async Task A_grant_that_comes_while_the_host_stops_is_undone_and_starts_nothing()
    {
        await using var cluster = new Cluster();
        var grants = new HeldUpLocks();
        var a = await cluster.StartNodeAsync("a", services: s => s.AddSingleton<ILockProvider>(sp => grants.Around(
            ActivatorUtilities.CreateInstance<ProviderOfAnotherNode>(sp).Locks)));
        await Cluster.UntilAsync(() => grants.Held == 1, "the grant to a is on its way");
        var b = await cluster.StartNodeAsync("b");

        // The host has only begun to stop: no hosted service has been told.
        a.Lifetime.StopApplication();
        grants.LetThrough();

        await b.LeadsAsync();
        await Cluster.UntilAsync(() => a.Logged(1210) == 1, "a says that it gave the grant back");
        await a.StopAsync();
        Assert.Equal(0, a.Work.Terms);
    }

    [Fact]
    [Failure("F25")]
    public async Task A_standby_that_stops_leaves_the_queue()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        var c = await cluster.StartNodeAsync("c");
        await c.StandsByAsync();

        await b.StopAsync();
        await a.StopAsync();

        await c.LeadsAsync();
        Assert.Equal(0, b.Work.Terms);
    }

    [Fact]
    public async Task A_callback_on_the_stopping_token_that_throws_keeps_no_lock()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = (term, stoppingToken) =>
        {
            stoppingToken.Register(() => throw new InvalidOperationException("thrown by a callback"));
            return Work.UntilToldAsync(term, stoppingToken);
        };
        var a = await cluster.StartNodeAsync("a", work: work);
        await a.LeadsAsync();

        await a.StopAsync();
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
    }

    [Fact]
    public async Task A_host_that_is_disposed_without_having_been_stopped_leaves_no_loop_behind()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var leadership = a.Leadership;

        await a.AbandonAsync();
        await Cluster.UntilAsync(() => !a.Work.IsRunning, "the work has ended");
        await foreach (var change in leadership.WatchAsync(TestContext.Current.CancellationToken))
        {
            // Ends when the loop has.
            Assert.False(change.IsLeader);
        }

        var tries = a.Store.Tries;
        cluster.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(tries, a.Store.Tries);
    }

    [Fact]
    [Failure("F21")]
    public async Task A_callback_on_the_stopping_token_is_work_as_well()
    {
        await using var cluster = new Cluster();
        using var goOn = new ManualResetEventSlim();
        var inCallback = new TaskCompletionSource();
        var work = new Work();
        work.Do = (_, stoppingToken) =>
        {
            var returned = new TaskCompletionSource();
            stoppingToken.Register(() =>
            {
                returned.SetResult();
                inCallback.SetResult();
                goOn.Wait(TimeSpan.FromSeconds(20));
            });
            return returned.Task;
        };
        var a = await cluster.StartNodeAsync("a", work: work);
        await a.LeadsAsync();

        var stop = a.StopAsync();
        await inCallback.Task;
        Assert.NotNull(await cluster.HolderAsync(WorkingService.LockName));
        Assert.False(stop.IsCompleted);
        goOn.Set();
        await stop;
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
    }

    private static Work Draining()
    {
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        return work;
    }
}
