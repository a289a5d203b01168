using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Xunit.v3;

// Most of their time they wait for the end of a lease.
[assembly: Parallelization(MaxThreads = 6)]

[assembly: AssemblyFixture(typeof(RedisServerFixture))]
[assembly: AssemblyFixture(typeof(RedisContainerFixture))]
[assembly: AssemblyFixture(typeof(GarnetFixture))]
[assembly: AssemblyFixture(typeof(ClusterFixture))]
[assembly: AssemblyFixture(typeof(SentinelFixture))]
[assembly: AssemblyFixture(typeof(AclFixture))]
[assembly: AssemblyFixture(typeof(TlsFixture))]
