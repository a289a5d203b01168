using Coordination.PostgreSql.Tests.Servers;
using Xunit.v3;

// Most of their time they wait for the end of a lease.
[assembly: Parallelization(MaxThreads = 4)]

[assembly: AssemblyFixture(typeof(PostgreSqlFixture))]
