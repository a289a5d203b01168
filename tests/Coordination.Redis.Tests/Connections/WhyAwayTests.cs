using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordination.Redis.Connections;
using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Network;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Connections;

/// <summary>F91: each way in which a server can be away has a sentence of its own, which names the address, at the start and in an outage.</summary>
public sealed class WhyAwayTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F91")]
    public async Task A_server_that_is_down_refuses_the_connection()
    {
        var address = FreePort.Local(FreePort.Take());

        await AssertSaysAsync(address, $"cannot connect to {address}: connection refused");
    }

    [Fact]
    [Failure("F91")]
    public async Task A_host_that_nobody_knows_is_not_found() =>
        await AssertSaysAsync("host.invalid", "cannot connect to host.invalid:6379: host not found");

    [Fact]
    [Failure("F91")]
    public async Task A_server_that_takes_connections_and_hangs_does_not_reply()
    {
        // The system takes them, and nobody ever looks.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        await AssertSaysAsync($"{listener.LocalEndpoint},connectTimeout=4000", $"{listener.LocalEndpoint} takes connections and does not reply");
    }

    [Fact]
    [Failure("F91")]
    public async Task A_web_server_on_the_port_is_not_a_Redis_server()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var serving = ServeAsync(listener, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", ending.Token);

        await AssertSaysAsync($"{listener.LocalEndpoint},connectTimeout=2000", $"what replies at {listener.LocalEndpoint} is not a Redis server");

        await ending.CancelAsync();
        await serving;
    }

    [Fact]
    [Failure("F91")]
    public async Task A_port_that_wants_TLS_closes_the_connection()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var serving = ServeAsync(listener, reply: "", ending.Token);

        await AssertSaysAsync($"{listener.LocalEndpoint},connectTimeout=2000", "without a reply; if it wants TLS, set ssl=true");

        await ending.CancelAsync();
        await serving;
    }

    /// <summary>The client tries for its connect timeout. Whoever has less time is told all the same, and has nothing to undo.</summary>
    [Theory]
    [Failure("F40", "F91")]
    [InlineData(false, "connection refused")]
    [InlineData(true, "takes connections and does not reply")]
    public async Task A_wait_that_is_shorter_than_a_connection_takes_is_told_the_cause(bool hangs, string cause)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = listener.LocalEndpoint.ToString()!;
        if (!hangs)
        {
            listener.Stop();
        }

        var node = new TestNode(
            builder => builder.UseRedis(address + ",connectTimeout=20000", options => options.ProbeOnStart = false),
            options => options.LeaseDuration = TimeSpan.FromSeconds(6));
        var error = await Assert.ThrowsAsync<LockStoreException>(() => node.GetLock("orders").TryAcquireAsync(TimeSpan.FromSeconds(4), Token));

        Assert.Contains(address, error.Message, StringComparison.Ordinal);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        var logs = node.Logs;
        await node.DisposeAsync();
        Assert.DoesNotContain(logs.GetSnapshot(), line => line.Id.Id == 1013);
    }

    /// <summary>A connection to the other one may be under way, which takes its time over a slow link: nobody is to give it up.</summary>
    [Fact]
    [Failure("F91")]
    [Needs(Need.RedisServer)]
    public async Task What_keeps_one_server_is_not_said_to_keep_all()
    {
        await using var server = await RedisProcess.StartAsync();
        var (up, down) = (new IPEndPoint(IPAddress.Loopback, server.Port), new IPEndPoint(IPAddress.Loopback, FreePort.Take()));
        var diagnosis = new Diagnosis(() => [down, up], static () => false);
        await diagnosis.BeginAsync();
        Assert.Contains("connection refused", diagnosis.Finding, StringComparison.Ordinal);
        Assert.Null(diagnosis.FindingOfAll);

        diagnosis = new Diagnosis(() => [down, down], static () => false);
        await diagnosis.BeginAsync();
        Assert.Equal(diagnosis.Finding, diagnosis.FindingOfAll);
    }

    [Fact]
    [Failure("F91")]
    [Needs(Need.RedisServer)]
    public async Task A_refused_password_is_said_with_the_address()
    {
        await using var server = await RedisProcess.StartAsync("--requirepass", "right-password");
        await using var node = new TestNode(server.ConnectionString + ",password=wrong-password", "test");

        // The client library breaks the connection off and makes it anew; in between there is none, and that is all it can say.
        LockStoreException? error = null;
        await Eventually.IsTrueAsync(async () => (error = await FailureAsync(node)) is { IsTransient: false }, Patience, "the refusal is told");

        Assert.Contains($"Redis at {server.ConnectionString} refused", error!.Message, StringComparison.Ordinal);
        Assert.Contains("password", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-password", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F91")]
    [Needs(Need.RedisServer)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_outage_is_said_with_its_cause_and_ends_with_it(bool hangs)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(builder => builder.UseRedis(server.ConnectionString, options => options.CommandTimeout = TimeSpan.FromMilliseconds(500)));
        await using (await node.GetLock("orders").AcquireAsync(Token))
        {
            // It is there.
        }

        if (hangs)
        {
            server.Pause();
        }
        else
        {
            await server.KillAsync();
        }

        var cause = hangs ? $"Redis at {server.ConnectionString} did not reply in time" : $"cannot connect to {server.ConnectionString}: connection refused";
        await Eventually.IsTrueAsync(
            async () => (await Assert.ThrowsAsync<LockStoreException>(() => node.GetLock("orders").TryAcquireAsync(Token))).Message.Contains(cause, StringComparison.Ordinal),
            Patience,
            cause);
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id is 1010 or 1011 && line.Message.Contains(server.ConnectionString, StringComparison.Ordinal));
    }

    /// <summary>That it hangs is known after a second, and the first call fails before that: it waits for the cause.</summary>
    [Fact]
    [Failure("F91")]
    [Needs(Need.RedisServer)]
    public async Task The_first_line_of_an_outage_says_that_the_server_hangs()
    {
        using var hangs = new TcpListener(IPAddress.Loopback, 0);
        hangs.Start();
        await using var server = await RedisProcess.StartAsync();
        await using var proxy = new ChaosProxy(server.Port);
        await using var node = new TestNode(builder => builder.UseRedis(FreePort.Local(proxy.Port), options => options.CommandTimeout = TimeSpan.FromMilliseconds(700)));
        await using (await node.GetLock("orders").AcquireAsync(Token))
        {
            // It is there.
        }

        proxy.LeadTo(((IPEndPoint)hangs.LocalEndpoint).Port);
        await server.KillAsync();
        await Assert.ThrowsAsync<LockStoreException>(() => node.GetLock("orders").TryAcquireAsync(Token));

        var line = Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1010);
        Assert.Contains($"{FreePort.Local(proxy.Port)} takes connections and does not reply", line.Message, StringComparison.Ordinal);
    }

    /// <summary>As where a server hangs: its connection stands for a while, and then is broken off.</summary>
    [Fact]
    [Failure("F91")]
    public async Task A_look_that_had_nobody_to_ask_does_not_put_off_the_next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        List<EndPoint> unreached = [];
        var diagnosis = new Diagnosis(() => unreached, static () => false);
        await diagnosis.BeginAsync();
        Assert.Null(diagnosis.Finding);

        unreached.Add(listener.LocalEndpoint);
        await diagnosis.BeginAsync();
        Assert.Equal($"{listener.LocalEndpoint} takes connections and does not reply", diagnosis.Finding);
    }

    [Fact]
    [Failure("F91")]
    [Needs(Need.RedisServer)]
    public async Task Of_a_server_that_replies_nothing_is_found()
    {
        await using var server = await RedisProcess.StartAsync();
        var diagnosis = new Diagnosis(() => [new IPEndPoint(IPAddress.Loopback, server.Port)], static () => false);

        await diagnosis.BeginAsync();
        Assert.Null(diagnosis.Finding);
    }

    [Theory]
    [Failure("F91")]
    [InlineData("user:secret@host", "a server whose name is not shown")]
    [InlineData("redis://host", "a server whose name is not shown")]
    [InlineData("host", "host:6379")]
    public void A_name_that_may_be_a_secret_is_not_shown(string host, string shown) =>
        Assert.Equal(shown, ServerAddress.Of(new DnsEndPoint(host, 6379)));

    private static async Task AssertSaysAsync(string connectionString, string cause)
    {
        await using var node = new TestNode(builder => builder.UseRedis(connectionString, options => options.CommandTimeout = TimeSpan.FromSeconds(1)));

        await node.ExamineAsync(Token);

        Assert.Contains(cause, Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == 1032).Message, StringComparison.Ordinal);
        var error = await FailureAsync(node);
        Assert.True(error is { IsTransient: true });
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
    }

    private static async Task<LockStoreException?> FailureAsync(TestNode node) =>
        await Record.ExceptionAsync(() => node.Administration.PingAsync(Token)) as LockStoreException;

    private static async Task ServeAsync(TcpListener listener, string reply, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(cancellationToken);
                var stream = client.GetStream();
                if (await stream.ReadAsync(new byte[1024], cancellationToken) > 0)
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(reply), cancellationToken);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // The test has ended, or this client has gone.
            }
        }
    }
}
