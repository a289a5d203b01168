using Coordination.Redis.Connections;
using Coordination.Redis.Stores;
using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <summary>What replicas confirm of a grant, when the connection changes between the grant and the question.</summary>
[Needs(Need.RedisServer)]
public sealed class ReplicationTests
{
    private static readonly RedisKey Key = LockText.KeyOf("coordination", "orders");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Replication _replication = new(1, TimeSpan.FromMilliseconds(200));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Whether such a server confirms it depends on its version, and on what the client happens to ask when it connects.</summary>
    [Fact]
    [Failure("F54")]
    [Promise("G1")]
    public async Task What_was_written_before_the_connection_was_restored_is_not_confirmed()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var node = new TestNode(servers.Master.ConnectionString, "coordination");
        var connection = await ConnectAsync(node);
        var line = Replication.LineTo(connection, Key);

        await connection.GetDatabase().StringSetAsync(Key, "written");
        servers.Replica.Pause();
        await RedisTopology.AskAsync(servers.Master, "CLIENT", "KILL", "TYPE", "normal");
        await Eventually.IsTrueAsync(async () => await Record.ExceptionAsync(() => connection.GetDatabase().PingAsync()) is null && Replication.LineTo(connection, Key) != line, Patience, "the connection is restored");

        var error = await Assert.ThrowsAsync<LockStoreException>(() => _replication.ConfirmAsync(connection, Key, line, Token));
        Assert.True(error.IsTransient, error.ToString());
        Assert.Contains("replaced", error.Message, StringComparison.Ordinal);
        servers.Replica.Resume();
    }

    [Fact]
    [Failure("F54")]
    public async Task What_was_written_on_a_connection_that_was_replaced_is_not_confirmed()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var node = new TestNode(servers.Master.ConnectionString, "coordination");
        await using var other = new TestNode(servers.Master.ConnectionString, "coordination");
        var (connection, next) = (await ConnectAsync(node), await ConnectAsync(other));
        var line = Replication.LineTo(connection, Key);
        Assert.Equal(line.Sockets, Replication.LineTo(next, Key).Sockets);

        await connection.GetDatabase().StringSetAsync(Key, "written");
        servers.Replica.Pause();

        await Assert.ThrowsAsync<LockStoreException>(() => _replication.ConfirmAsync(next, Key, line, Token));
        servers.Replica.Resume();
    }

    [Fact]
    [Failure("F54")]
    public async Task What_was_written_on_the_connection_that_stands_is_confirmed()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var node = new TestNode(servers.Master.ConnectionString, "coordination");
        var connection = await ConnectAsync(node);
        await RedisTopology.AskAsync(servers.Master, "CLIENT", "KILL", "TYPE", "normal");
        await Eventually.IsTrueAsync(async () => await Record.ExceptionAsync(() => connection.GetDatabase().PingAsync()) is null, Patience, "the connection is restored");
        var line = Replication.LineTo(connection, Key);

        await connection.GetDatabase().StringSetAsync(Key, "written");

        // With time enough for a replica on a busy machine.
        Assert.Equal(1, await new Replication(1, Patience).ConfirmAsync(connection, Key, line, Token));
    }

    /// <summary>Those that nobody waits for any more do not keep the others waiting.</summary>
    [Fact]
    [Failure("F54")]
    public async Task Who_does_not_wait_any_more_asks_no_replica()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var node = new TestNode(servers.Master.ConnectionString, "coordination");
        var connection = await ConnectAsync(node);
        var line = Replication.LineTo(connection, Key);
        var replication = new Replication(1, Patience);
        await connection.GetDatabase().StringSetAsync(Key, "written");
        servers.Replica.Pause();
        var first = replication.ConfirmAsync(connection, Key, line, Token);
        using var gone = new CancellationTokenSource();
        var second = replication.ConfirmAsync(connection, Key, line, gone.Token);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        servers.Replica.Resume();
        Assert.Equal(1, await first);
        Assert.Contains("calls=1,", $"{await RedisTopology.AskAsync(servers.Master, "INFO", "commandstats")}".Split('\n').Single(row => row.StartsWith("cmdstat_wait:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private static async Task<IConnectionMultiplexer> ConnectAsync(TestNode node)
    {
        await node.Administration.PingAsync(Token);
        return node.Services.GetRequiredService<RedisConnection>().Established!;
    }
}
