using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>Nodes that share the partitions of a <see cref="SharedService"/>.</summary>
internal static class PartitionNode
{
    /// <summary>As it is by default.</summary>
    public static readonly TimeSpan BalanceInterval = TimeSpan.FromSeconds(1);

    extension(Cluster cluster)
    {
        /// <summary>Starts a node.</summary>
        public async Task<TestNode> StartPartitionNodeAsync(
            string name, PartitionWorkOfAll work, int? partitions = 12, PartitionNames? names = null, Action<PartitionedServiceOptions>? configure = null)
        {
            var node = cluster.CreateNode(name, services =>
            {
                services.AddSingleton(work).AddSingleton(names ?? new PartitionNames());
                services.AddPartitionedBackgroundService<SharedService>(options =>
                {
                    options.Partitions = partitions;
                    configure?.Invoke(options);
                });
            });
            await node.Host.StartAsync(TestContext.Current.CancellationToken);
            return node;
        }

        /// <summary>Starts two nodes, and waits until each works on its half of the partitions.</summary>
        public async Task<(TestNode A, TestNode B)> StartTwoPartitionNodesAsync(PartitionWorkOfAll work, Action<PartitionedServiceOptions>? configure = null)
        {
            var a = await cluster.StartPartitionNodeAsync("a", work, configure: configure);
            var b = await cluster.StartPartitionNodeAsync("b", work, configure: configure);
            await cluster.SharedAsync(work, (a, 6), (b, 6));
            return (a, b);
        }

        /// <summary>Lets time pass, and the nodes do at each step of it what they do.</summary>
        public Task PassAsync(PartitionWorkOfAll work, TimeSpan time)
        {
            var until = cluster.Time.GetUtcNow() + time;
            return cluster.PassUntilAsync(work, () => cluster.Time.GetUtcNow() >= until, 2 * time, "time passes");
        }

        /// <summary>Moves the clock until each of some nodes works on so many partitions.</summary>
        public Task SharedAsync(PartitionWorkOfAll work, params (TestNode Node, int Count)[] shares) => cluster.PassUntilAsync(
            work,
            () => shares.All(share => work.RunningOn(share.Node.NodeId) == share.Count),
            TimeSpan.FromMinutes(2),
            $"the nodes have {string.Join(", ", shares.Select(static share => share.Count))} partitions");

        /// <summary>Moves the clock until a condition holds. No lease runs out because the machine is too slow for the clock: each is renewed first, but for those of a node for which the store is away.</summary>
        public async Task PassUntilAsync(PartitionWorkOfAll work, Func<bool> condition, TimeSpan limit, string what)
        {
            var step = TimeSpan.FromMilliseconds(500);
            for (var passed = TimeSpan.Zero; passed <= limit && !condition(); passed += step)
            {
                await Cluster.UntilAsync(() => work.Now.Keys.All(term => term.Owner.NodeId == work.Away || IsRenewed(term)), "leases are renewed");
                for (var look = 0; look < 10 && !condition(); look++)
                {
                    // What woke goes on on the pool.
                    await Task.Delay(2, TestContext.Current.CancellationToken);
                }

                await cluster.AdvanceAsync(condition() ? TimeSpan.Zero : step);
            }

            await Cluster.UntilAsync(condition, what);
        }
    }

    extension(TestNode node)
    {
        public IPartitionedLeadership Partitions => node.Host.Services.GetRequiredService<IPartitionedLeadership<SharedService>>();
    }

    /// <summary>Whether no renewal of its lease is due, or it has ended.</summary>
    private static bool IsRenewed(ExclusiveTerm term) =>
        term.State != LeaseState.Held || term.Remaining >= Cluster.LeaseDuration - (Cluster.LeaseDuration / 5) - (Cluster.LeaseDuration / 3) - TimeSpan.FromMilliseconds(1);
}
