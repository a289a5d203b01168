using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>Services that prepare before their node contends.</summary>
public sealed class WarmStandbyTests
{
    private const int PreparationFailedLine = 1241;
    private const int PreparesLine = 1240;

    private static readonly TimeSpan LoadTime = TimeSpan.FromSeconds(5);

    [Fact]
    [Promise("G10")]
    [Failure("F22")]
    public async Task A_takeover_does_not_wait_for_what_the_standby_prepared()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a");
        await LeadsAfterLoadingAsync(cluster, a);
        var b = await StartAsync(cluster, "b");
        Assert.False(b.Node.Store.IsQueued);
        await cluster.AdvanceUntilAsync(() => b.Node.Store.IsQueued, 2 * LoadTime, "b stands by", keep: [a.Node.Work.Term]);

        // The clock stands still from here on, so that nothing can be loaded.
        await a.Node.StopAsync();
        await Cluster.UntilAsync(() => b.Node.Work.IsRunning, "b leads");
        Assert.Equal((1, 1), (b.Caches.Begun, b.Caches.Given.Single().Number));
        Assert.True(a.Caches.Loaded.Single().IsDisposed);
    }

    [Fact]
    public async Task Each_term_has_what_was_prepared_for_it_and_it_is_disposed_with_the_lock_held()
    {
        await using var cluster = new Cluster();
        var caches = new Caches();
        var a = await StartAsync(cluster, "a", caches: caches);
        await LeadsAfterLoadingAsync(cluster, a);
        var release = new TaskCompletionSource();
        a.Node.Store.ReleaseGate = release.Task;

        a.Node.Work.Term.StepDown();
        await Cluster.UntilAsync(() => caches.Given.First().IsDisposed, "the first one is disposed");
        Assert.Equal(a.Node.NodeId, (await cluster.HolderAsync(PreparingService.LockName))?.Owner.NodeId);
        Assert.Equal(1, caches.Begun);
        release.SetResult();
        await cluster.AdvanceUntilAsync(() => a.Node.Work.Terms == 2, 2 * LoadTime, "a leads again");
        Assert.Equal([1, 2], caches.Given.Select(cache => cache.Number));
        Assert.False(caches.Given.Last().IsDisposed);

        await a.Node.StopAsync();
        Assert.Equal([1, 1], caches.Loaded.Select(cache => cache.Disposals));
    }

    [Fact]
    public async Task What_a_standby_prepared_and_never_used_is_disposed_when_its_host_stops()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a");
        await LeadsAfterLoadingAsync(cluster, a);
        var b = await StartAsync(cluster, "b");
        await cluster.AdvanceUntilAsync(() => b.Node.Store.IsQueued, 2 * LoadTime, "b stands by", keep: [a.Node.Work.Term]);
        await b.Node.StopAsync();
        Assert.Equal((1, 0), (b.Caches.Loaded.Single().Disposals, b.Caches.Given.Count));
    }

    [Fact]
    [Failure("F65")]
    public async Task A_preparation_that_fails_is_a_failure_with_backoff_and_the_node_does_not_contend()
    {
        await using var cluster = new Cluster();
        var caches = new Caches
        {
            Load = static (number, _) => number <= 3 ? throw new InvalidOperationException($"There is no catalog, {number}.") : Task.CompletedTask,
        };
        var a = await StartAsync(cluster, "a", caches: caches, services: static s => s.AddHealthChecks().AddCoordinationHealthCheck());
        await cluster.AdvanceUntilAsync(() => a.Node.Logged(PreparationFailedLine) == 3, TimeSpan.FromSeconds(20), "a has failed three times");
        Assert.Equal((0, 0), (a.Node.Store.Tries, a.Node.Work.Terms));
        var health = await a.Node.CheckHealthAsync();
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.Contains("failed 3 times in a row, the last time with InvalidOperationException", health.Entries.Single().Value.Description, StringComparison.Ordinal);

        await cluster.AdvanceUntilAsync(() => a.Node.Work.IsRunning, TimeSpan.FromSeconds(20), "a leads");
        var failures = a.Node.TimesOf(PreparationFailedLine);
        Assert.All(failures.Zip(failures.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(1)));
    }

    [Fact]
    [Promise("G10")]
    [Failure("F25")]
    public async Task A_preparation_is_cancelled_when_the_host_stops_and_that_is_no_failure()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => a.Caches.Begun == 1, "a prepares");
        Assert.Equal(ServicePhase.Preparing, a.Node.Host.Services.GetRequiredService<ExclusiveServices>().All.Single().Leadership.Status.Phase);
        await a.Node.StopAsync();
        Assert.Equal((1, 0), (a.Node.Logged(PreparesLine), a.Node.Logged(PreparationFailedLine)));
        Assert.Equal(0, a.Node.Store.Tries);
    }

    [Fact]
    public async Task What_was_prepared_outlasts_a_store_that_refuses()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", fault: new LockStoreException("The password is wrong.", isTransient: false));
        await cluster.AdvanceUntilAsync(() => a.Node.Logged(1207) == 1, 2 * LoadTime, "a is refused");
        a.Node.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => a.Node.Work.IsRunning, TimeSpan.FromMinutes(1), "a leads");
        Assert.Equal((1, 1), (a.Caches.Begun, a.Caches.Given.Count));
    }

    private static async Task<(TestNode Node, Caches Caches)> StartAsync(
        Cluster cluster, string name, Caches? caches = null, Action<IServiceCollection>? services = null, Exception? fault = null)
    {
        // It takes its time, on the clock that the test moves.
        caches ??= new Caches { Load = (_, cancellationToken) => Task.Delay(LoadTime, cluster.Time, cancellationToken) };
        var node = cluster.CreateNode(name, s =>
        {
            s.AddSingleton(caches);
            s.AddExclusiveBackgroundService<PreparingService>();
            services?.Invoke(s);
        }, fault: fault);
        await node.Host.StartAsync(TestContext.Current.CancellationToken);
        await Cluster.UntilAsync(() => node.Contends, "the node contends");
        await Cluster.UntilAsync(() => caches.Begun > 0, "the node prepares");
        return (node, caches);
    }

    private static Task LeadsAfterLoadingAsync(Cluster cluster, (TestNode Node, Caches Caches) a) =>
        cluster.AdvanceUntilAsync(() => a.Node.Work.IsRunning, 2 * LoadTime, "the node leads");
}
