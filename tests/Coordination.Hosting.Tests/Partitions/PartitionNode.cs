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

        /// <summary>Moves the clock until each of some nodes works on so many partitions.</summary>
        public Task SharedAsync(PartitionWorkOfAll work, params (TestNode Node, int Count)[] shares) => cluster.AdvanceUntilAsync(
            () => shares.All(share => work.RunningOn(share.Node.NodeId) == share.Count),
            TimeSpan.FromMinutes(2),
            $"the nodes have {string.Join(", ", shares.Select(static share => share.Count))} partitions");
    }

    extension(TestNode node)
    {
        public IPartitionedLeadership Partitions => node.Host.Services.GetRequiredService<IPartitionedLeadership<SharedService>>();
    }
}
