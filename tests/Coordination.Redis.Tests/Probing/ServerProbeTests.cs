using Coordination.Redis.Probing;
using Coordination.Redis.Tests.Servers;
using Coordination.Testing.EmbeddedRedis;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Garnet;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Probing;

/// <summary>What the probe finds out at start. On Garnet in this process, and on a redis-server where it says so.</summary>
public sealed class ServerProbeTests(GarnetFixture garnet, RedisServerFixture redis)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G1")]
    public async Task Garnet_with_transaction_mode_is_fit_and_nothing_is_left_behind()
    {
        var connectionString = await garnet.GetConnectionStringAsync();
        await using var node = new TestNode(connectionString, "probe-garnet", probe: true);

        await StartAsync(node);

        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1100 && line.Message.Contains("garnet 2.", StringComparison.Ordinal));
        await AssertNothingLeftAsync(connectionString, "probe-garnet");
    }

    [Fact]
    [Promise("G1")]
    public async Task Garnet_without_transaction_mode_fails_the_start_which_names_the_flag()
    {
        await using var server = await EmbeddedServer.StartAsync(new EmbeddedServerOptions { LuaTransactionMode = false }, Token);
        await using var node = new TestNode(server.ConnectionString, "test", probe: true);

        var error = await Assert.ThrowsAsync<LockStoreException>(() => StartAsync(node));

        Assert.False(error.IsTransient);
        Assert.Contains("--lua-transaction-mode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garnet_without_Lua_fails_the_start_which_names_the_flag()
    {
        var port = FreePort.Take();
        using var server = new GarnetServer(["--port", $"{port}", "--bind", "127.0.0.1", "-q", "--memory", "16m", "--page", "1m", "--index", "1m"]);
        server.Start();
        await using var node = new TestNode(FreePort.Local(port), "test", probe: true);

        var error = await Assert.ThrowsAsync<LockStoreException>(() => StartAsync(node));

        Assert.False(error.IsTransient);
        Assert.Contains("--lua --lua-transaction-mode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garnet_over_a_registered_connection_is_a_warning_that_names_the_flag()
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(await garnet.GetConnectionStringAsync());
        await using var node = new TestNode(builder =>
        {
            builder.Services.AddSingleton<IConnectionMultiplexer>(connection);
            builder.UseRedis(options => options.KeyPrefix = "probe-given");
        });

        await StartAsync(node);

        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1105 && line.Level == LogLevel.Warning
            && line.Message.Contains("--lua-transaction-mode", StringComparison.Ordinal));
    }

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task Redis_is_fit_and_nothing_is_left_behind()
    {
        var connectionString = await redis.GetConnectionStringAsync();
        await using var node = new TestNode(connectionString, "probe-redis", probe: true);

        await StartAsync(node);

        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1100 && line.Message.Contains("redis ", StringComparison.Ordinal));
        await AssertNothingLeftAsync(connectionString, "probe-redis");
    }

    [Theory]
    [InlineData("+@all -zadd", "+zadd")]
    [InlineData("+@all -get", "+get")]
    [InlineData("+@all -hset", "+hset")]
    [InlineData("+@all -publish", "+publish")]
    [InlineData("+@all -subscribe", "+subscribe")]
    [Needs(Need.RedisServer)]
    public async Task Redis_with_a_right_missing_fails_the_start_which_names_the_rights(string rights, string named)
    {
        await using var server = await RedisProcess.StartAsync(["--user", "app", ">app-password", "on", "~*", "&*", .. rights.Split(' ')]);
        await using var node = new TestNode(server.ConnectionString + ",user=app,password=app-password", "test", probe: true);

        var error = await Assert.ThrowsAsync<LockStoreException>(() => StartAsync(node));

        Assert.False(error.IsTransient);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task Redis_without_the_right_to_INFO_is_fit()
    {
        await using var server = await RedisProcess.StartAsync("--user", "app", ">app-password", "on", "~*", "&*", "+@all", "-info");
        await using var node = new TestNode(server.ConnectionString + ",user=app,password=app-password", "test", probe: true);

        await StartAsync(node);
    }

    [Fact]
    [Promise("G12")]
    [Needs(Need.RedisServer)]
    public async Task With_the_server_away_the_host_starts_and_examines_it_when_it_is_back()
    {
        await using var server = await RedisProcess.StartAsync();
        await server.KillAsync();
        await using var node = new TestNode(server.ConnectionString, "test", probe: true);

        await StartAsync(node);
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1032);
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Id.Id == 1100);

        await server.StartAgainAsync();
        await Eventually.IsTrueAsync(() => PingsAsync(node), TimeSpan.FromMinutes(1), "the store replies");
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1100);
    }

    [Theory]
    [InlineData("redis_version:5.0.7\r\nredis_mode:standalone", "redis", "5.0.7", true)]
    [InlineData("redis_version:6.2.0\r\n", "redis", "6.2.0", false)]
    [InlineData("redis_version:7.0.15\r\n", "redis", "7.0.15", false)]
    [InlineData("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n", "valkey", "8.0.1", false)]
    [InlineData("redis_version:7.4.3\r\nserver_name:garnet\r\ngarnet_version:2.2.8\r\n", "garnet", "2.2.8", false)]
    [InlineData("", "redis", "of unknown version", false)]
    public void The_identity_is_read_from_INFO(string info, string brand, string version, bool isTooOld)
    {
        var identity = ServerIdentity.Parse("# Server\r\n" + info);

        Assert.Equal(brand, identity.Brand);
        Assert.Equal(version, identity.Version);
        Assert.Equal(isTooOld, identity.IsTooOld);
    }

    private static Task StartAsync(TestNode node) =>
        node.ExamineAsync(Token);

    private static async Task<bool> PingsAsync(TestNode node)
    {
        try
        {
            await node.Administration.PingAsync(Token);
            return true;
        }
        catch (LockStoreException error) when (error.IsTransient)
        {
            return false;
        }
    }

    private static async Task AssertNothingLeftAsync(string connectionString, string prefix)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(connectionString);
        Assert.Empty(await connection.GetServers()[0].KeysAsync(pattern: prefix + ":*").ToArrayAsync(Token));
    }
}
