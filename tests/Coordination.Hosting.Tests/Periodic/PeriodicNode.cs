using Coordination.Hosting.Tests.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Periodic;

/// <summary>A node with one <see cref="CountingService"/>.</summary>
internal static class PeriodicNode
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <summary>The slot in which the clock of a cluster begins.</summary>
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static async Task<(TestNode Node, Runs Runs)> StartAsync(
        Cluster cluster,
        string name,
        Action<ExclusivePeriodicOptions>? configure = null,
        Func<PeriodicRun, CancellationToken, Task>? work = null,
        Action<IServiceCollection>? services = null,
        Action<StoreWithFaults>? store = null)
    {
        var created = Create(cluster, name, configure, work, services);
        store?.Invoke(created.Node.Store);
        await created.Node.Host.StartAsync(TestContext.Current.CancellationToken);
        return created;
    }

    public static (TestNode Node, Runs Runs) Create(
        Cluster cluster,
        string name,
        Action<ExclusivePeriodicOptions>? configure = null,
        Func<PeriodicRun, CancellationToken, Task>? work = null,
        Action<IServiceCollection>? services = null)
    {
        var runs = new Runs();
        runs.Do = work ?? runs.Do;
        var node = cluster.CreateNode(name, s =>
        {
            s.AddSingleton(runs);
            s.AddExclusivePeriodicService<CountingService>(o =>
            {
                o.Interval = Interval;
                configure?.Invoke(o);
            });
            services?.Invoke(s);
        });
        return (node, runs);
    }

    /// <summary>Time passes in which no lease is held, and so none is lost by steps that are longer than it.</summary>
    public static Task PassAsync(Cluster cluster, TimeSpan time)
    {
        var end = cluster.Time.GetUtcNow() + time;
        return cluster.AdvanceUntilAsync(() => cluster.Time.GetUtcNow() >= end, time, $"{time} pass", time / 10);
    }

    public static Task IsWaitedForAsync(Cluster cluster) => Eventually.IsTrueAsync(
        async () => (await cluster.Store.InspectAsync(CountingService.LockName, 10, TestContext.Current.CancellationToken)).WaiterCount > 0, TimeSpan.FromMinutes(1), "another node waits");
}
