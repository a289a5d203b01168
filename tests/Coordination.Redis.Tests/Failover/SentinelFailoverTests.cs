using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Failover;

/// <summary>All locks are on the master that dies, and the sentinels promote its replica.</summary>
public sealed class SentinelFailoverTests : FailoverTests
{
    protected override async Task<RedisTopology> StartAsync() => await RedisSentinel.StartAsync(TimeSpan.FromSeconds(1));
}
