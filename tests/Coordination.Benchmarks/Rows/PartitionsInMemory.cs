using System.Diagnostics;
using Coordination.Benchmarks.Reports;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Benchmarks.Rows;

/// <summary>As many partitions as somebody waited nine hours for elsewhere, shared by nodes of one process whose store is its memory: what this library itself takes for them.</summary>
internal static class PartitionsInMemory
{
    private const int Count = 5650;
    private const int Nodes = 3;
    private const double Target = 60;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static async Task<Line> MeasureAsync()
    {
        var (before, store, led) = (GC.GetTotalMemory(forceFullCollection: true), new InMemoryLockStore(), new Led());
        var hosts = Enumerable.Range(0, Nodes).Select(i => Create($"memory-{i}", store, led)).ToList();
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(hosts.Select(host => host.StartAsync()));
        using var limit = new CancellationTokenSource(Limit);
        while (!hosts.TrueForAll(host => host.Services.GetRequiredService<IPartitionedLeadership>() is { Share: > 0 and <= (Count / Nodes) + 1 } here && here.Led.Count == here.Share) || led.Now != Count)
        {
            await Task.Delay(10, limit.Token);
        }

        var balanced = Stopwatch.GetElapsedTime(begun);
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Count;
        begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(hosts.Select(host => host.StopAsync()));
        var stopped = Stopwatch.GetElapsedTime(begun);
        hosts.ForEach(host => host.Dispose());
        return new Line(
            $"{Count:N0} partitions over {Nodes} nodes of one process, in memory: balanced; all stopped; memory of each, its lock and its place in the store among it",
            $"{balanced.TotalSeconds:F2} s; {stopped.TotalSeconds:F2} s; {each / 1024:F1} KB",
            Target: $"≤ {Target} s",
            IsReached: balanced.TotalSeconds <= Target && led.Now == 0);
    }

    private static IHost Create(string name, InMemoryLockStore store, Led led)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddCoordination(options => options.NodeName = name).UseInMemory();
        builder.Services.AddSingleton<ILockStore>(store).AddSingleton<ILockStoreAdministration>(store).AddSingleton(led);
        builder.Services.AddPartitionedBackgroundService<Waits>(options =>
        {
            options.LockName = "benchmark-memory";
            options.Partitions = Count;
        });
        return builder.Build();
    }

    /// <summary>How many partitions are worked on.</summary>
    private sealed class Led
    {
        private int _now;

        public int Now => Volatile.Read(ref _now);

        public void Add(int change) => Interlocked.Add(ref _now, change);
    }

    private sealed class Waits(Led led) : PartitionedBackgroundService
    {
        protected override async Task ExecutePartitionAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            led.Add(1);
            await Task.Delay(Timeout.Infinite, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            led.Add(-1);
        }
    }
}
