using Coordination.TestKit.Servers;

namespace Coordination.DistributedLock.Tests.Contract;

[Needs(Need.RedisServer)]
public sealed class RedisServerDistributedLockTests(RedisServerFixture server) : DistributedLockContract(new SharedRedisStore(server));

public sealed class GarnetDistributedLockTests(GarnetFixture server) : DistributedLockContract(new SharedRedisStore(server));

[Needs(Need.RedisServer)]
public sealed class ClusterDistributedLockTests(ClusterFixture server) : DistributedLockContract(new SharedRedisStore(server));
