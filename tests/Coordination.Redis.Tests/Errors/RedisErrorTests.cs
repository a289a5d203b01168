using System.Net;
using System.Net.Sockets;
using Coordination.Redis.Errors;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Errors;

/// <summary>F30: each way in which a server refuses, made on a redis-server of its own.</summary>
[Needs(Need.RedisServer)]
public sealed class RedisErrorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly LockOwner _ada = new("host-1-ada", 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F30")]
    public async Task READONLY_is_transient_on_a_server_that_became_a_replica()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        await AcquireAsync(node);
        await using var connection = await server.ConnectAsOperatorAsync();
        // A primary that does not exist: the server is a replica all the same.
        await connection.GetServers()[0].ExecuteAsync("REPLICAOF", "127.0.0.1", "1");

        var error = await FailsAsync(node, "READONLY");

        Assert.True(error.IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task A_replica_is_a_transient_error_when_nothing_else_is_in_reach()
    {
        await using var primary = await RedisProcess.StartAsync();
        await using var replica = await RedisProcess.StartAsync("--replicaof", "127.0.0.1", $"{primary.Port}");
        await using var node = new TestNode(replica.ConnectionString, "test");

        Assert.True((await FailsAsync(node)).IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task MASTERDOWN_is_transient()
    {
        await using var server = await RedisProcess.StartAsync("--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "no");
        await using var node = new TestNode(server.ConnectionString, "test");

        Assert.True((await FailsAsync(node)).IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task LOADING_is_transient()
    {
        await using var server = await RedisProcess.StartAsync("--rdbcompression", "no", "--loading-process-events-interval-bytes", "1024", "--enable-debug-command", "yes");
        await using (var connection = await server.ConnectAsOperatorAsync())
        {
            var database = connection.GetDatabase();
            await database.ScriptEvaluateAsync("for i = 1, 20000 do redis.call('SET', 'key' .. i, string.rep('x', 100)) end");
            await connection.GetServers()[0].ExecuteAsync("SAVE");
        }

        await server.KillAsync();
        await server.StartAgainAsync("--key-load-delay", "1000");
        await using var node = new TestNode(server.ConnectionString, "test");

        Assert.True((await FailsAsync(node)).IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task CLUSTERDOWN_is_transient()
    {
        await using var server = await RedisProcess.StartInClusterModeAsync();
        await using var node = new TestNode(server.ConnectionString, "test");

        Assert.True((await FailsAsync(node)).IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task BUSY_is_transient()
    {
        await using var server = await RedisProcess.StartAsync("--busy-reply-threshold", "20");
        await using var node = new TestNode(server.ConnectionString, "test");
        await AcquireAsync(node);
        await using var connection = await server.ConnectAsOperatorAsync(",asyncTimeout=60000");
        var endless = connection.GetDatabase().ScriptEvaluateAsync("while true do end");
        LockStoreException? error = null;
        await Eventually.IsTrueAsync(
            async () => (error = await ErrorAsync(node))?.Message.Contains("BUSY", StringComparison.Ordinal) == true, Patience, "the server says BUSY");

        Assert.True(error!.IsTransient);

        // By hand: a server that is busy refuses what a client library asks to greet it, or to see that it is there.
        using var byHand = new TcpClient();
        await byHand.ConnectAsync(IPAddress.Loopback, server.Port, Token);
        await byHand.GetStream().WriteAsync("SCRIPT KILL\r\n"u8.ToArray(), Token);
        await Assert.ThrowsAnyAsync<RedisException>(() => endless);
    }

    [Fact]
    [Failure("F30")]
    public async Task OOM_is_transient_and_says_what_an_operator_has_to_do()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        await AcquireAsync(node);
        await SetAsync(server, "maxmemory", "1");

        // Joining the queue is a write that takes memory.
        var waiter = Requests.Acquire("orders", new LockOwner("host-2-bob", 1), TimeSpan.FromMinutes(3), wait: true, claimWindow: TimeSpan.FromSeconds(1));
        var error = await Assert.ThrowsAsync<LockStoreException>(() => node.Store.AcquireAsync(waiter, Token));

        Assert.True(error.IsTransient);
        Assert.Contains("Raise maxmemory", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F30")]
    public async Task NOREPLICAS_is_transient_and_says_what_an_operator_has_to_do()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        await SetAsync(server, "min-replicas-to-write", "1");

        var error = await FailsAsync(node, "NOREPLICAS");

        Assert.True(error.IsTransient);
        Assert.Contains("min-replicas-to-write", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F30")]
    public async Task MISCONF_is_transient_and_says_what_an_operator_has_to_do()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        await SetAsync(server, "save", "900 1");
        await using (var connection = await server.ConnectAsOperatorAsync())
        {
            // The snapshot would have to replace a folder of that name.
            Directory.CreateDirectory(Path.Combine(server.Folder, "dump.rdb", "full"));
            await connection.GetServers()[0].ExecuteAsync("BGSAVE");
            await Eventually.IsTrueAsync(
                async () => (await connection.GetServers()[0].InfoRawAsync("persistence"))!.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal),
                Patience,
                "the snapshot fails");
        }

        var error = await FailsAsync(node, "MISCONF");

        Assert.True(error.IsTransient);
        Assert.Contains("disk", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F30")]
    public async Task NOAUTH_is_final()
    {
        await using var server = await RedisProcess.StartAsync("--requirepass", "right-password");
        await using var node = new TestNode(server.ConnectionString, "test");

        var error = await FailsAsync(node, "password");

        Assert.False(error.IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task WRONGPASS_is_final_and_names_no_password()
    {
        await using var server = await RedisProcess.StartAsync("--requirepass", "right-password");
        await using var node = new TestNode(server.ConnectionString + ",password=wrong-password", "test");

        // The client library breaks the connection off and makes it anew; in between there is none, and that is all it can say.
        LockStoreException? error = null;
        await Eventually.IsTrueAsync(async () => (error = await ErrorAsync(node)) is { IsTransient: false }, TimeSpan.FromMinutes(1), "the refusal is told");
        Assert.Contains("password", error!.Message, StringComparison.Ordinal);

        Assert.False(error.IsTransient);
        Assert.DoesNotContain("wrong-password", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F30")]
    [InlineData("a command", "on ~test:* &test:* +@all -evalsha -eval", "evalsha")]
    [InlineData("a command inside a script", "on ~test:* &test:* +@all -zadd", "+zadd")]
    [InlineData("a key", "on ~other:* &test:* +@all", "~{prefix}:*")]
    [InlineData("a channel", "on ~test:* &other:* +@all", "&{prefix}:*")]
    public async Task NOPERM_is_final_and_names_the_rights_that_are_needed(string missing, string rights, string named)
    {
        await using var server = await RedisProcess.StartAsync(["--user", "app", ">app-password", .. rights.Split(' ')]);
        await using var node = new TestNode(server.ConnectionString + ",user=app,password=app-password", "test");

        var error = await Assert.ThrowsAsync<LockStoreException>(() => LiveAsync(node));

        Assert.False(error.IsTransient, missing);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("app-password", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_required_rights_are_enough()
    {
        await using var server = await RedisProcess.StartAsync(
            ["--user", "app", ">app-password", "on", "~test:*", "&test:*", .. RedisErrorClassifier.RequiredRights.Split(' ')]);
        await using var node = new TestNode(server.ConnectionString + ",user=app,password=app-password", "test", probe: true);

        await LiveAsync(node);
    }

    [Fact]
    [Failure("F30")]
    public async Task An_unknown_command_is_final()
    {
        await using var server = await RedisProcess.StartAsync("--rename-command", "EVALSHA", "");
        await using var node = new TestNode(server.ConnectionString, "test");

        var error = await FailsAsync(node, "unknown command");

        Assert.False(error.IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task An_error_in_a_script_is_final()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        await using var connection = await server.ConnectAsOperatorAsync();
        await connection.GetDatabase().SortedSetAddAsync(LockText.KeyOf("test", "orders") + ":waiters", "no waiter", 1);
        await connection.GetDatabase().SortedSetAddAsync(LockText.KeyOf("test", "orders") + ":alive", "no waiter", double.MaxValue);

        Assert.False((await FailsAsync(node)).IsTransient);
    }

    [Fact]
    [Failure("F30")]
    public async Task WRONGTYPE_is_final()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        await using var connection = await server.ConnectAsOperatorAsync();
        await connection.GetDatabase().HashSetAsync(LockText.KeyOf("test", "orders"), "colour", "blue");

        var error = await FailsAsync(node, "something else wrote the key");

        Assert.False(error.IsTransient);
        Assert.Contains("orders", error.Message, StringComparison.Ordinal);
        Assert.Contains("KeyPrefix", error.Message, StringComparison.Ordinal);
        Assert.Equal("blue", await connection.GetDatabase().HashGetAsync(LockText.KeyOf("test", "orders"), "colour"));
    }

    private static async Task SetAsync(RedisProcess server, string setting, string value)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await connection.GetServers()[0].ConfigSetAsync(setting, value);
    }

    private Task<AcquireReply> AcquireAsync(TestNode node) =>
        node.Store.AcquireAsync(Requests.Acquire("orders", _ada, TimeSpan.FromMinutes(3), claimWindow: TimeSpan.FromSeconds(1)), Token);

    /// <summary>A lock's life with a handover, which needs all rights.</summary>
    private async Task LiveAsync(TestNode node)
    {
        var bob = new LockOwner("host-2-bob", 1);
        await using var subscription = await node.Store.SubscribeAsync(bob.NodeId, _ => { }, Token);
        await AcquireAsync(node);
        await node.Store.AcquireAsync(Requests.Acquire("orders", bob, TimeSpan.FromMinutes(3), wait: true, claimWindow: TimeSpan.FromSeconds(1)), Token);
        await node.Store.ReleaseAsync(Requests.Release("orders", _ada, TimeSpan.FromSeconds(1)), Token);
        await node.Store.RenewAsync([Requests.Renew("orders", bob, TimeSpan.FromMinutes(3))], Token);
        await node.Administration.GetHolderAsync("orders", Token);
        await node.Administration.PingAsync(Token);
        await node.Store.ReleaseAsync(Requests.Release("orders", bob, TimeSpan.FromSeconds(1)), Token);
    }

    private async Task<LockStoreException> FailsAsync(TestNode node, string text = "")
    {
        LockStoreException? error = null;

        // The connection may still be under way when the server stands, and then there is nobody to refuse.
        await Eventually.IsTrueAsync(
            async () => (error = await Assert.ThrowsAsync<LockStoreException>(() => AcquireAsync(node))).Message.Contains(text, StringComparison.Ordinal),
            Patience,
            $"the server refuses with {text}");
        TestContext.Current.TestOutputHelper?.WriteLine(error!.ToString());
        return error!;
    }

    private async Task<LockStoreException?> ErrorAsync(TestNode node)
    {
        try
        {
            await AcquireAsync(node);
            return null;
        }
        catch (LockStoreException error)
        {
            return error!;
        }
    }
}
