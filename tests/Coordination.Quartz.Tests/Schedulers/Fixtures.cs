using Coordination.TestKit.Servers;

// One redis-server for all tests; each test has a key prefix of its own.
[assembly: AssemblyFixture(typeof(RedisServerFixture))]
