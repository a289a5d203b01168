using Coordination.TestKit.Servers;

// One server for all tests; each test has a key prefix of its own.
[assembly: AssemblyFixture(typeof(AnyServerFixture))]
