using Coordination.TestKit.Servers;

// One server for all tests that need one; each has a key prefix of its own.
[assembly: AssemblyFixture(typeof(RedisServerFixture))]
