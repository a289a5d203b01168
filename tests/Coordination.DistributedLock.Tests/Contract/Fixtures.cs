using Coordination.DistributedLock.Tests.Contract;
using Coordination.TestKit.Servers;

[assembly: AssemblyFixture(typeof(RedisServerFixture))]
[assembly: AssemblyFixture(typeof(ClusterFixture))]
[assembly: AssemblyFixture(typeof(EmbeddedServerFixture))]
