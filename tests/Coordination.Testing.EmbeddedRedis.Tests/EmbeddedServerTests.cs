using System.Globalization;
using System.Net.Sockets;

namespace Coordination.Testing.EmbeddedRedis.Tests;

public class EmbeddedServerTests
{
    private const string ReadThenWrite = "local n = tonumber(redis.call('GET', KEYS[1]) or '0') redis.call('SET', KEYS[1], n + 1) return 1";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_starts_on_loopback_and_replies()
    {
        await using var server = await EmbeddedServer.StartAsync(Cancel);

        Assert.True(server.IsRunning);
        Assert.Equal($"127.0.0.1:{server.EndPoint.Port}", server.ConnectionString);
        Assert.Equal("PONG", await SendAsync(server, "PING"));
    }

    [Fact]
    public async Task Servers_of_one_process_have_data_of_their_own()
    {
        await using var one = await EmbeddedServer.StartAsync(Cancel);
        await using var other = await EmbeddedServer.StartAsync(Cancel);

        await SendAsync(one, "SET", "key", "value");

        Assert.NotEqual(one.EndPoint, other.EndPoint);
        Assert.Equal("value", await SendAsync(one, "GET", "key"));
        Assert.Null(await SendAsync(other, "GET", "key"));
    }

    [Fact]
    public async Task A_stopped_server_refuses_connections_and_comes_back_empty_on_the_same_port()
    {
        await using var server = await EmbeddedServer.StartAsync(Cancel);
        var endPoint = server.EndPoint;
        await using var connection = await RespConnection.ConnectAsync(endPoint, Cancel);
        await connection.SendAsync(Cancel, "SET", "key", "value");

        await server.StopAsync(Cancel);
        await server.StopAsync(Cancel);

        Assert.False(server.IsRunning);
        await Assert.ThrowsAsync<SocketException>(() => SendAsync(server, "PING"));
        await Assert.ThrowsAnyAsync<IOException>(() => connection.SendAsync(Cancel, "PING"));

        await server.RestartAsync(Cancel);

        Assert.True(server.IsRunning);
        Assert.Equal(endPoint, server.EndPoint);
        Assert.Null(await SendAsync(server, "GET", "key"));
    }

    [Fact]
    public async Task A_running_server_restarts_empty_too()
    {
        await using var server = await EmbeddedServer.StartAsync(Cancel);
        await SendAsync(server, "SET", "key", "value");

        await server.RestartAsync(Cancel);

        Assert.Null(await SendAsync(server, "GET", "key"));
    }

    [Fact]
    public async Task Scripts_have_their_keys_to_themselves()
    {
        await using var server = await EmbeddedServer.StartAsync(Cancel);

        Assert.Equal(1600, await CountAsync(server, clients: 8, each: 200));
    }

    [Fact]
    public async Task Without_transaction_mode_scripts_run_into_each_other()
    {
        await using var server = await EmbeddedServer.StartAsync(new EmbeddedServerOptions { LuaTransactionMode = false }, Cancel);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(30));

        // Each round loses some of the updates or, rarely, none.
        while (await CountAsync(server, clients: 8, each: 200) == 1600)
        {
            await SendAsync(server, "DEL", "count");
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public async Task A_port_that_is_in_use_is_named()
    {
        await using var first = await EmbeddedServer.StartAsync(Cancel);

        var e = await Assert.ThrowsAsync<IOException>(() => EmbeddedServer.StartAsync(new EmbeddedServerOptions { Port = first.EndPoint.Port }, Cancel));

        Assert.Contains(first.ConnectionString, e.Message, StringComparison.Ordinal);
        Assert.Equal("PONG", await SendAsync(first, "PING"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65536)]
    public async Task A_port_out_of_range_is_refused(int port) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => EmbeddedServer.StartAsync(new EmbeddedServerOptions { Port = port }, Cancel));

    [Fact]
    public async Task A_cancelled_start_gives_no_server() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => EmbeddedServer.StartAsync(new CancellationToken(canceled: true)));

    [Fact]
    public async Task It_leaves_no_file_behind()
    {
        var before = Directory.GetFileSystemEntries(Environment.CurrentDirectory);

        await using (var server = await EmbeddedServer.StartAsync(Cancel))
        {
            await SendAsync(server, "SET", "key", "value");
        }

        Assert.Equal(before.Order(), Directory.GetFileSystemEntries(Environment.CurrentDirectory).Order());
    }

    [Fact]
    public async Task It_is_of_no_use_once_disposed()
    {
        var server = await EmbeddedServer.StartAsync(Cancel);
        await server.DisposeAsync();
        await server.DisposeAsync();

        Assert.False(server.IsRunning);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => server.RestartAsync(Cancel));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => server.StopAsync(Cancel));
    }

    private static async Task<string?> SendAsync(EmbeddedServer server, params string[] words)
    {
        await using var connection = await RespConnection.ConnectAsync(server.EndPoint, Cancel);
        return await connection.SendAsync(Cancel, words);
    }

    private static async Task<int> CountAsync(EmbeddedServer server, int clients, int each)
    {
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            await using var connection = await RespConnection.ConnectAsync(server.EndPoint, Cancel);
            for (var i = 0; i < each; i++)
            {
                await connection.SendAsync(Cancel, "EVAL", ReadThenWrite, "1", "count");
            }
        }));
        return int.Parse((await SendAsync(server, "GET", "count"))!, CultureInfo.InvariantCulture);
    }
}
