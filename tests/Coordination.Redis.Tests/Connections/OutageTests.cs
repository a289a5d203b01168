using System.Diagnostics;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Connections;

/// <summary>Servers that hang, die and come back: on a redis-server of its own for each test.</summary>
[Needs(Need.RedisServer)]
public sealed class OutageTests
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly LockOwner _ada = new("host-1-ada", 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F13")]
    public async Task On_a_server_that_hangs_every_operation_ends_soon_as_a_transient_error()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = Node(server);
        await AcquireAsync(node);

        server.Pause();
        foreach (var operation in (Func<Task>[])
            [
                () => AcquireAsync(node),
                () => RenewAsync(node),
                () => ReleaseAsync(node),
                () => node.Administration.GetHolderAsync("orders", Token),
                () => node.Administration.PingAsync(Token),
                () => node.Store.SubscribeAsync("host-1-ada", _ => { }, Token),
            ])
        {
            var start = Stopwatch.GetTimestamp();
            var error = await Assert.ThrowsAsync<LockStoreException>(operation);
            Assert.True(error.IsTransient, error.ToString());
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(4));
        }

        server.Resume();
        await RepliesAsync(node);
        Assert.NotNull(await node.Administration.GetHolderAsync("orders", Token));
    }

    [Fact]
    [Failure("F13")]
    public async Task On_a_server_that_hangs_a_cancelled_call_ends_at_once()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = Node(server, commandTimeout: TimeSpan.FromSeconds(4));
        await AcquireAsync(node);
        server.Pause();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var renewal = node.Store.RenewAsync([Requests.Renew("orders", _ada, TimeSpan.FromMinutes(3))], cancellation.Token);
        var start = Stopwatch.GetTimestamp();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => renewal);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        server.Resume();
    }

    [Fact]
    [Failure("F23")]
    public async Task On_a_server_that_hangs_a_cancelled_release_ends_at_once_and_is_carried_out()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = Node(server, commandTimeout: TimeSpan.FromSeconds(4));
        await AcquireAsync(node);
        server.Pause();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var release = node.Store.ReleaseAsync(Requests.Release("orders", _ada, TimeSpan.FromSeconds(1)), cancellation.Token);
        var start = Stopwatch.GetTimestamp();
        await cancellation.CancelAsync();

        Assert.Equal(cancellation.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => release)).CancellationToken);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        server.Resume();
        await Eventually.IsTrueAsync(async () => await node.Administration.GetHolderAsync("orders", Token) is null, Patience, "the lock is free");
    }

    /// <summary>A grant that comes after its undo would be nobody's.</summary>
    [Fact]
    [Promise("G6")]
    public async Task An_acquisition_whose_script_the_server_forgot_is_not_sent_again_after_its_undo()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = Node(server, commandTimeout: TimeSpan.FromSeconds(4));
        await RepliesAsync(node);
        server.Pause();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var acquisition = node.Store.AcquireAsync(
            Requests.Acquire("orders", _ada, TimeSpan.FromMinutes(3), claimWindow: TimeSpan.FromSeconds(1)), cancellation.Token);
        await cancellation.CancelAsync();
        var undo = ReleaseAsync(node);
        server.Resume();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquisition);
        Assert.Equal(ReleaseReply.NotHeld, await undo);
        await node.Administration.PingAsync(Token);
        Assert.Null(await node.Administration.GetHolderAsync("orders", Token));
    }

    [Fact]
    [Failure("F7")]
    public async Task A_subscription_that_is_cancelled_while_it_is_made_is_ended()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = Node(server, commandTimeout: TimeSpan.FromSeconds(4));
        await using (await node.Store.SubscribeAsync("host-1-ada", _ => { }, Token))
        {
            // The connection for notifications stands.
        }

        server.Pause();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var subscription = node.Store.SubscribeAsync("host-1-bob", _ => { }, cancellation.Token);
        var start = Stopwatch.GetTimestamp();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => subscription);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        server.Resume();

        await RepliesAsync(node);
        await using var connection = await server.ConnectAsOperatorAsync();
        await Eventually.IsTrueAsync(
            async () => (await connection.GetServers()[0].SubscriptionChannelsAsync(RedisChannel.Pattern("*node:*"))).Length == 0, Patience, "nobody listens");
    }

    /// <summary>Whether the client tells of a connection before or after it knows that a subscription is gone does not matter.</summary>
    [Theory]
    [Failure("F2")]
    [InlineData("resp3")]
    [InlineData("resp2")]
    public async Task A_node_hears_again_also_where_the_client_tells_of_nothing(string protocol)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{server.ConnectionString},protocol={protocol},abortConnect=false");
        var silent = SilentConnection.Of(connection);
        await using var node = new TestNode(builder => builder.UseRedis(options => options.ProbeOnStart = false).Services.AddSingleton(silent));
        var heard = new List<LockNotification>();
        await using var subscription = await node.Store.SubscribeAsync("host-1-ada", notification => Add(heard, notification), Token);

        await server.KillAsync();
        await Eventually.IsTrueAsync(() => !connection.IsConnected, Patience, "the connection is lost");

        var looks = ((SilentConnection)(object)silent).Looks;
        await Eventually.IsTrueAsync(() => ((SilentConnection)(object)silent).Looks > looks, Patience, "the node has looked");
        await server.StartAgainAsync();
        await Eventually.IsTrueAsync(() => Has(heard, LockNotification.Reconnected), Patience, "the node is told");
    }

    [Theory]
    [Failure("F2")]
    [InlineData("resp3")]
    [InlineData("resp2")]
    public async Task A_killed_server_fails_calls_at_once_and_nodes_hear_when_it_is_back(string protocol)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = Node(server, TimeSpan.FromSeconds(4), protocol);
        var heard = new List<LockNotification>();
        await using var subscription = await node.Store.SubscribeAsync("host-1-ada", notification => Add(heard, notification), Token);
        var first = await AcquireAsync(node);

        await server.KillAsync();
        await Eventually.IsTrueAsync(async () => (await FailureAsync(node)) is { IsTransient: true }, Patience, "operations fail");
        var start = Stopwatch.GetTimestamp();
        Assert.True((await FailureAsync(node))!.IsTransient);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(1));

        lock (heard)
        {
            heard.Clear();
        }

        await server.StartAgainAsync();
        await RepliesAsync(node);
        await Eventually.IsTrueAsync(() => Has(heard, LockNotification.Reconnected), Patience, "the node is told");

        // F18: the data is gone with the process, and what is granted now has a greater token. F30: so are the scripts.
        Assert.Equal([RenewalReply.NotHeld], await RenewAsync(node));
        Assert.True((await AcquireAsync(node)).FencingToken > first.FencingToken);

        // The subscription stands again as well.
        var bob = new LockOwner("host-1-ada", 2);
        await node.Store.AcquireAsync(Requests.Acquire("orders", bob, TimeSpan.FromMinutes(3), wait: true, claimWindow: TimeSpan.FromSeconds(1)), Token);
        await ReleaseAsync(node);
        await Eventually.IsTrueAsync(
            () => Has(heard, LockNotification.Granted("orders", bob)), Patience, "a handover is heard again");
    }

    [Fact]
    [Promise("G12")]
    public async Task A_server_that_comes_late_is_found()
    {
        await using var server = await RedisProcess.StartAsync();
        await server.KillAsync();
        await using var node = Node(server);
        Assert.True((await FailureAsync(node))!.IsTransient);

        await server.StartAgainAsync();

        await RepliesAsync(node);
    }

    [Fact]
    [Failure("F28")]
    public async Task A_release_fails_while_the_server_is_away_and_the_lease_lapses_by_itself()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = Node(server);
        await node.Store.AcquireAsync(Requests.Acquire("orders", _ada, TimeSpan.FromSeconds(2), claimWindow: TimeSpan.FromSeconds(1)), Token);
        server.Pause();
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => ReleaseAsync(node))).IsTransient);
        server.Resume();

        await using var other = Node(server);
        var bob = new LockOwner("host-2-bob", 1);
        await Eventually.IsTrueAsync(
            async () => (await other.Store.AcquireAsync(Requests.Acquire("orders", bob, TimeSpan.FromSeconds(2), claimWindow: TimeSpan.FromSeconds(1)), Token)).IsGranted,
            TimeSpan.FromSeconds(10),
            "the lock is free again");
    }

    [Fact]
    public async Task Disposal_ends_the_connection_that_the_store_made_and_later_calls_say_so()
    {
        await using var server = await RedisProcess.StartAsync();
        var node = Node(server);
        var store = node.Administration;
        await AcquireAsync(node);
        await using var connection = await server.ConnectAsOperatorAsync();
        Assert.Contains(await connection.GetServers()[0].ClientListAsync(), client => client.Name?.StartsWith("coordination:", StringComparison.Ordinal) == true);

        await node.DisposeAsync();

        var error = await Assert.ThrowsAsync<LockStoreException>(() => store.PingAsync(Token));
        Assert.False(error.IsTransient);
        await Eventually.IsTrueAsync(
            async () => !(await connection.GetServers()[0].ClientListAsync()).Any(client => client.Name?.StartsWith("coordination:", StringComparison.Ordinal) == true),
            Patience,
            "the connection is closed");
    }

    private static TestNode Node(RedisProcess server, TimeSpan? commandTimeout = null, string protocol = "resp3") =>
        new(builder => builder.UseRedis($"{server.ConnectionString},protocol={protocol}", options =>
        {
            options.ProbeOnStart = false;
            options.CommandTimeout = commandTimeout ?? CommandTimeout;
        }));

    private static void Add(List<LockNotification> heard, LockNotification notification)
    {
        lock (heard)
        {
            heard.Add(notification);
        }
    }

    private static bool Has(List<LockNotification> heard, LockNotification notification)
    {
        lock (heard)
        {
            return heard.Exists(told => told with { Handover = null } == notification);
        }
    }

    private static async Task<LockStoreException?> FailureAsync(TestNode node)
    {
        try
        {
            await node.Administration.PingAsync(Token);
            return null;
        }
        catch (LockStoreException error)
        {
            return error;
        }
    }

    private static Task RepliesAsync(TestNode node) =>
        Eventually.IsTrueAsync(async () => await FailureAsync(node) is null, Patience, "the store replies again");

    private Task<AcquireReply> AcquireAsync(TestNode node) =>
        node.Store.AcquireAsync(Requests.Acquire("orders", _ada, TimeSpan.FromMinutes(3), claimWindow: TimeSpan.FromSeconds(1)), Token);

    private Task<IReadOnlyList<RenewalReply>> RenewAsync(TestNode node) =>
        node.Store.RenewAsync([Requests.Renew("orders", _ada, TimeSpan.FromMinutes(3))], Token);

    private Task<ReleaseReply> ReleaseAsync(TestNode node) =>
        node.Store.ReleaseAsync(Requests.Release("orders", _ada, TimeSpan.FromSeconds(1)), Token);
}
