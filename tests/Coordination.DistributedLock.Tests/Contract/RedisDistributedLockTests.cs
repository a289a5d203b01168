using Coordination.TestKit.Servers;

namespace Coordination.DistributedLock.Tests.Contract;

[Needs(Need.RedisServer)]
public sealed class RedisServerDistributedLockTests(RedisServerFixture server) : DistributedLockContract(new SharedRedisStore(server));

[Needs(Need.RedisServer)]
public sealed class RedisServerDistributedSemaphoreTests(RedisServerFixture server) : DistributedSemaphoreContract(new SharedRedisStore(server));

[Needs(Need.RedisServer)]
public sealed class RedisServerDistributedReaderWriterLockTests(RedisServerFixture server) : DistributedReaderWriterLockContract(new SharedRedisStore(server));

public sealed class GarnetDistributedReaderWriterLockTests(GarnetFixture server) : DistributedReaderWriterLockContract(new SharedRedisStore(server));

public sealed class GarnetDistributedLockTests(GarnetFixture server) : DistributedLockContract(new SharedRedisStore(server));

[Needs(Need.RedisServer)]
public sealed class ClusterDistributedLockTests(ClusterFixture server) : DistributedLockContract(new SharedRedisStore(server));
