using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.Logging.Testing;

namespace Coordination.Redis.Tests.Probing;

/// <summary>A server that goes on by itself when it is cut off from its replicas confirms leases of which the next primary knows nothing.</summary>
[Needs(Need.RedisServer)]
public sealed class ReplicaHintTests(RedisServerFixture alone)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F46")]
    public async Task A_server_with_replicas_that_writes_without_them_gets_a_line()
    {
        await using var servers = await RedisPair.StartAsync();

        var line = Assert.Single(await HintsAsync(servers.Master.ConnectionString));

        Assert.Contains("min-replicas-to-write", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F46")]
    public async Task A_server_that_writes_with_its_replicas_only_gets_none()
    {
        await using var servers = await RedisPair.StartAsync();
        await RedisTopology.AskAsync(servers.Master, "CONFIG", "SET", "min-replicas-to-write", "1");
        await Eventually.IsTrueAsync(
            async () => ((string)(await RedisTopology.AskAsync(servers.Master, "INFO", "replication"))!).Contains("min_slaves_good_slaves:1", StringComparison.Ordinal),
            Patience,
            "the replica is in touch");

        Assert.Empty(await HintsAsync(servers.Master.ConnectionString));
    }

    [Fact]
    [Failure("F46")]
    public async Task A_server_with_no_replicas_gets_none() => Assert.Empty(await HintsAsync(await alone.GetConnectionStringAsync()));

    private static async Task<FakeLogRecord[]> HintsAsync(string connectionString)
    {
        await using var node = new TestNode(connectionString, "test-" + Guid.NewGuid().ToString("N")[..8], probe: true);
        await node.ExamineAsync(Token);
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1100);
        return [.. node.Logs.GetSnapshot().Where(line => line.Id.Id == 1113)];
    }
}
