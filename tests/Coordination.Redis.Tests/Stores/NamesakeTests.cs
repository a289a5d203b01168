using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Coordination.Redis.Tests.Stores;

public sealed class RedisServerNamesakeTests(RedisServerFixture server) : NamesakeTests(server);

public sealed class ClusterNamesakeTests(ClusterFixture server) : NamesakeTests(server);

/// <summary>Two nodes of one id, such as a process and the copy that a snapshot of its machine is.</summary>
[Needs(Need.RedisServer)]
public abstract class NamesakeTests(ServerFixture server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private readonly string _id = "host-1-" + Guid.NewGuid().ToString("N")[..8];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F53")]
    [Promise("G1")]
    public async Task A_node_whose_id_another_one_has_says_so_once()
    {
        await using var first = new TestNode(await server.GetSettingsAsync(), _prefix);
        await using var second = new TestNode(await server.GetSettingsAsync(), _prefix);
        await using var others = new TestNode(await server.GetSettingsAsync(), _prefix + "-other");

        await using var one = await first.Store.SubscribeAsync(_id, _ => { }, Token);
        await using var elsewhere = await others.Store.SubscribeAsync(_id, _ => { }, Token);
        await using (await second.Store.SubscribeAsync(_id, _ => { }, Token))
        {
            // It asks once.
        }

        await using var again = await second.Store.SubscribeAsync(_id, _ => { }, Token);

        Assert.Empty(Warnings(first));
        Assert.Empty(Warnings(others));
        var warning = Assert.Single(Warnings(second));
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Contains(_id, warning.Message, StringComparison.Ordinal);
    }

    /// <summary>Its own subscription may stand on the server still, over the connection that was lost.</summary>
    [Fact]
    [Failure("F53")]
    public async Task A_node_that_connects_again_does_not_take_itself_for_another()
    {
        await using var own = await RedisProcess.StartAsync();
        await using var node = new TestNode(own.ConnectionString, _prefix);
        var told = 0;
        await using var subscription = await node.Store.SubscribeAsync(_id, notification => _ = notification == LockNotification.Reconnected ? Interlocked.Increment(ref told) : 0, Token);

        await RedisTopology.AskAsync(own, "CLIENT", "KILL", "TYPE", "pubsub");

        await Eventually.IsTrueAsync(() => Volatile.Read(ref told) > 0, Patience, "the node is told that it was away");
        Assert.Empty(Warnings(node));
    }

    /// <summary>Whoever could not be looked for is looked for again.</summary>
    [Fact]
    [Failure("F53")]
    public async Task A_node_that_began_in_an_outage_says_so_after_it()
    {
        await using var own = await RedisProcess.StartAsync();
        await using var first = new TestNode(own.ConnectionString, _prefix);
        await using var second = new TestNode(own.ConnectionString + ",asyncTimeout=500,syncTimeout=500", _prefix);
        await using var one = await first.Store.SubscribeAsync(_id, _ => { }, Token);
        Assert.Null(await second.Administration.GetHolderAsync("orders", Token));
        own.Pause();
        try
        {
            await Assert.ThrowsAsync<LockStoreException>(() => second.Store.SubscribeAsync(_id, _ => { }, Token));
        }
        finally
        {
            own.Resume();
        }

        IAsyncDisposable? two = null;
        await Eventually.IsTrueAsync(
            async () =>
            {
                try
                {
                    two = await second.Store.SubscribeAsync(_id, _ => { }, Token);
                    return true;
                }
                catch (LockStoreException)
                {
                    // The connection is made anew.
                    return false;
                }
            },
            Patience);

        await using var subscription = two;
        Assert.Single(Warnings(second));
    }

    /// <summary>It is nice to know, and no right that locks need.</summary>
    [Fact]
    [Failure("F53", "F56")]
    public async Task A_server_that_does_not_say_who_listens_is_listened_to()
    {
        await using var own = await RedisProcess.StartAsync("--rename-command", "PUBSUB", "");
        await using var node = new TestNode(own.ConnectionString, _prefix);

        await using var subscription = await node.Store.SubscribeAsync(_id, _ => { }, Token);

        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1112);
        Assert.Empty(Warnings(node));
    }

    [Fact]
    [Failure("F53")]
    public async Task Ids_of_nodes_have_64_random_bits()
    {
        await using var node = new TestNode(await server.GetSettingsAsync(), _prefix);
        await using var lease = await node.GetLock("orders").AcquireAsync(Token);

        Assert.Matches($"-{Environment.ProcessId}-[0-9a-f]{{16}}$", lease.Owner.NodeId);
    }

    private static FakeLogRecord[] Warnings(TestNode node) => [.. node.Logs.GetSnapshot().Where(line => line.Id.Id == 1111)];
}
