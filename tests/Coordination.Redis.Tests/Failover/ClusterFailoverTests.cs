using Coordination.Redis.Stores;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Failover;

/// <summary>The locks are spread over three masters, of which one dies.</summary>
public sealed class ClusterFailoverTests : FailoverTests
{
    protected override async Task<RedisTopology> StartAsync() => await RedisCluster.StartAsync(TimeSpan.FromSeconds(1), withReplicas: true);

    protected override bool IsOnMasterThatDies(string lockName) => RedisCluster.MasterOf(ClusterSlot.Of(lockName)) == 0;
}
