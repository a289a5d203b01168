using System.Diagnostics;
using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Network;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Failover;

/// <summary>The primary becomes the replica of its replica, and no connection ends: the server goes on replying, and refuses to write.</summary>
[Needs(Need.RedisServer)]
public sealed class DemotedPrimaryTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    /// <summary>How long it may take until a lock can be acquired again, beside the lease of whoever had it.</summary>
    private static readonly TimeSpan SomeSeconds = TimeSpan.FromSeconds(25);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A managed Redis, a proxy, a service name: new connections lead to the new primary, and those that stand do not.</summary>
    [Theory]
    [Failure("F57")]
    [Promise("G12")]
    [InlineData("resp2")]
    [InlineData("resp3")]
    public async Task Behind_one_address_locks_are_to_be_had_again_and_handovers_are_heard(string protocol)
    {
        await using var servers = await RedisPair.StartAsync();
        await using var proxy = new ChaosProxy(servers.Master.Port);
        var address = $"{FreePort.Local(proxy.Port)},protocol={protocol}";
        await using var ada = Node(address);
        await using var bob = Node(address);
        await (await ada.GetLock("warm").AcquireAsync(Token)).DisposeAsync();
        await (await bob.GetLock("warm").AcquireAsync(Token)).DisposeAsync();

        proxy.LeadTo(servers.Replica.Port);
        await SwapAsync(servers);

        var start = Stopwatch.GetTimestamp();
        var lease = await ada.GetLock("orders", new LockOptions { LeaseDuration = TimeSpan.FromMinutes(3) }).AcquireAsync(Token).WaitAsync(Lease + SomeSeconds, Token);
        var waiting = bob.GetLock("orders").AcquireAsync(Token);
        await Eventually.IsTrueAsync(async () => (await ada.Inspector.InspectAsync("orders", cancellationToken: Token)).WaiterCount == 1, Patience, "the waiter is in the queue");
        TestContext.Current.TestOutputHelper?.WriteLine($"Back after {Stopwatch.GetElapsedTime(start)}.");

        // On the old one nobody would tell any more, so it is heard on the new one or not at all.
        await servers.Master.KillAsync();
        await lease.DisposeAsync();
        await (await waiting.WaitAsync(Patience, Token)).DisposeAsync();
        Assert.Contains(ada.Logs.GetSnapshot(), line => line.Id.Id == 1106 && line.Level == LogLevel.Warning);
        Assert.Contains(ada.Logs.GetSnapshot(), line => line.Id.Id == 1108);
    }

    [Fact]
    [Failure("F57")]
    public async Task A_lease_that_was_held_is_kept_when_its_owner_is_back_within_it()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var proxy = new ChaosProxy(servers.Master.Port);
        await using var node = Node(FreePort.Local(proxy.Port), TimeSpan.FromMinutes(1));
        await using var lease = await node.GetLock("orders").AcquireAsync(Token);
        await using var replica = await servers.Replica.ConnectAsOperatorAsync();
        await Eventually.IsTrueAsync(() => replica.GetDatabase().KeyExistsAsync(LockText.KeyOf("coordination", "orders")), Patience, "the replica has the lock");

        proxy.LeadTo(servers.Replica.Port);
        await SwapAsync(servers);

        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(line => line.Id.Id == 1108), Patience, "the new primary is found");
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Token));
        Assert.Null(lease.LossReason);
    }

    /// <summary>Both are named, and the client thinks that the old one is the primary still.</summary>
    [Fact]
    [Failure("F57")]
    public async Task With_both_servers_named_locks_are_to_be_had_again()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var node = Node(servers.ConnectionString);
        await (await node.GetLock("warm").AcquireAsync(Token)).DisposeAsync();

        await SwapAsync(servers);

        await (await node.GetLock("orders").AcquireAsync(Token).WaitAsync(Lease + SomeSeconds, Token)).DisposeAsync();
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1108);
    }

    /// <summary>The client found out by itself, and so is refused by nobody: it has no primary to send to.</summary>
    [Fact]
    [Failure("F57", "F38")]
    public async Task A_client_that_knows_that_its_server_is_a_replica_finds_the_new_primary_as_well()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var proxy = new ChaosProxy(servers.Master.Port);
        await using var node = Node(FreePort.Local(proxy.Port));
        await (await node.GetLock("warm").AcquireAsync(Token)).DisposeAsync();
        await SwapAsync(servers);
        await node.Services.GetRequiredService<Redis.Connections.RedisConnection>().Established!.ConfigureAsync();

        proxy.LeadTo(servers.Replica.Port);

        await (await node.GetLock("orders").AcquireAsync(Token).WaitAsync(Lease + SomeSeconds, Token)).DisposeAsync();
    }

    [Fact]
    [Failure("F57")]
    public async Task Of_a_connection_that_was_handed_in_a_line_says_what_to_do()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var proxy = new ChaosProxy(servers.Master.Port);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(FreePort.Local(proxy.Port));
        await using var node = new TestNode(builder =>
        {
            builder.Services.AddSingleton<IConnectionMultiplexer>(connection);
            builder.UseRedis(options => options.ProbeOnStart = false);
        });
        await node.Store.AcquireAsync(Requests.Acquire("orders", new("ada", 1), Lease), Token);
        proxy.LeadTo(servers.Replica.Port);
        await SwapAsync(servers);

        for (var i = 0; i < 3; i++)
        {
            var error = await Assert.ThrowsAsync<LockStoreException>(() => node.Store.AcquireAsync(Requests.Acquire($"lock-{i}", new("ada", 1), Lease), Token));
            Assert.True(error.IsTransient, error.ToString());
        }

        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(line => line.Id.Id == 1107), Patience, "a line says it");
        var line = Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1107);
        Assert.Contains("IConnectionMultiplexer", line.Message, StringComparison.Ordinal);
        Assert.Contains("connection string", line.Message, StringComparison.Ordinal);
        Assert.True(connection.IsConnected);
    }

    [Fact]
    [Failure("F57")]
    public async Task The_connection_that_was_replaced_is_closed_and_the_new_one_with_the_node()
    {
        await using var servers = await RedisPair.StartAsync();
        await using var proxy = new ChaosProxy(servers.Master.Port);
        await using (var node = Node(FreePort.Local(proxy.Port)))
        {
            await (await node.GetLock("warm").AcquireAsync(Token)).DisposeAsync();
            proxy.LeadTo(servers.Replica.Port);
            await SwapAsync(servers);
            await (await node.GetLock("orders").AcquireAsync(Token).WaitAsync(Lease + SomeSeconds, Token)).DisposeAsync();
            await Eventually.IsTrueAsync(async () => await ClientsAsync(servers.Master) == 0, Patience, "the old connection is closed");
            Assert.NotEqual(0, await ClientsAsync(servers.Replica));
        }

        await Eventually.IsTrueAsync(async () => await ClientsAsync(servers.Replica) == 0, Patience, "the new connection is closed");
    }

    private static TestNode Node(string connectionString, TimeSpan? lease = null) =>
        new(builder => builder.UseRedis(connectionString), options => (options.LeaseDuration, options.RenewalInterval) = (lease ?? Lease, lease is null ? null : TimeSpan.FromSeconds(3)));

    private static async Task<int> ClientsAsync(RedisProcess server)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        return (await connection.GetServers()[0].ClientListAsync()).Count(client => client.Name?.StartsWith("coordination:", StringComparison.Ordinal) == true);
    }

    /// <summary>The replica is the primary from now on, and the primary its replica.</summary>
    private static async Task SwapAsync(RedisPair servers)
    {
        await RedisTopology.AskAsync(servers.Replica, "REPLICAOF", "NO", "ONE");
        await RedisTopology.AskAsync(servers.Master, "REPLICAOF", "127.0.0.1", $"{servers.Replica.Port}");
        await Eventually.IsTrueAsync(
            async () => ((string)(await RedisTopology.AskAsync(servers.Master, "INFO", "replication"))!).Contains("master_link_status:up", StringComparison.Ordinal),
            Patience,
            "the old primary is the replica of the new one");
    }
}
