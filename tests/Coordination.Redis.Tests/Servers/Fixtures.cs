using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;

[assembly: AssemblyFixture(typeof(RedisServerFixture))]
[assembly: AssemblyFixture(typeof(RedisContainerFixture))]
[assembly: AssemblyFixture(typeof(GarnetFixture))]
[assembly: AssemblyFixture(typeof(ClusterFixture))]
[assembly: AssemblyFixture(typeof(SentinelFixture))]
[assembly: AssemblyFixture(typeof(AclFixture))]
[assembly: AssemblyFixture(typeof(TlsFixture))]
