using System.Runtime.CompilerServices;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Connections;

/// <summary>What a node leaves on a connection that others use when it ends: nothing.</summary>
[Needs(Need.RedisServer)]
public sealed class DisposalTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<bool, string> Ways => new MatrixTheoryData<bool, string>([true, false], ["resp2", "resp3"]);

    [Theory]
    [Failure("F50")]
    [MemberData(nameof(Ways))]
    public async Task A_node_that_ends_leaves_no_subscription_and_no_handler(bool synchronously, string protocol)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectAsync(server, protocol);

        var store = await LiveAsync(connection, async services =>
        {
            await using (await services.GetRequiredService<ILockProvider>().GetLock("orders").AcquireAsync(Token))
            {
                await Eventually.IsTrueAsync(async () => await ListenersAsync(server) == 1, Patience, "the node listens");
            }

            await EndAsync(services, synchronously);
        });

        await AssertNothingLeftAsync(server, store);
        Assert.True(connection.IsConnected);
    }

    /// <summary>Who asked a store for a subscription may not be there any more to end it.</summary>
    [Theory]
    [Failure("F50")]
    [MemberData(nameof(Ways))]
    public async Task A_subscription_that_nobody_ended_ends_with_the_store(bool synchronously, string protocol)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectAsync(server, protocol);

        var store = await LiveAsync(connection, async services =>
        {
            await services.GetRequiredService<ILockStore>().SubscribeAsync("ada", static _ => { }, Token);
            Assert.Equal(1, await ListenersAsync(server));
            await EndAsync(services, synchronously);
        });

        await AssertNothingLeftAsync(server, store);
    }

    [Theory]
    [Failure("F50")]
    [MemberData(nameof(Ways))]
    public async Task A_subscription_that_is_being_made_while_the_store_ends_is_ended(bool synchronously, string protocol)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectAsync(server, protocol);

        var store = await LiveAsync(connection, async services =>
        {
            var stores = services.GetRequiredService<ILockStore>();
            await (await stores.SubscribeAsync("warm", static _ => { }, Token)).DisposeAsync();
            server.Pause();
            var subscribing = stores.SubscribeAsync("ada", static _ => { }, Token);
            var ending = EndAsync(services, synchronously);
            server.Resume();
            var thrown = await Record.ExceptionAsync(() => subscribing);
            Assert.True(thrown is null or LockStoreException, thrown?.ToString());
            await ending;
        });

        await AssertNothingLeftAsync(server, store);
    }

    /// <summary>The client subscribes again to all that it keeps in mind when the server is back.</summary>
    [Theory]
    [Failure("F50")]
    [MemberData(nameof(Ways))]
    public async Task A_node_that_ends_while_the_server_is_away_is_not_subscribed_again(bool synchronously, string protocol)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectAsync(server, protocol);

        var store = await LiveAsync(connection, async services =>
        {
            await services.GetRequiredService<ILockStore>().SubscribeAsync("ada", static _ => { }, Token);
            await server.KillAsync();
            await Eventually.IsTrueAsync(() => !connection.IsConnected, Patience, "the connection is lost");
            await EndAsync(services, synchronously);
        });

        await server.StartAgainAsync();
        await Eventually.IsTrueAsync(() => connection.IsConnected, Patience, "the connection is restored");
        var heard = new TaskCompletionSource();
        await connection.GetSubscriber().SubscribeAsync(RedisChannel.Literal("others"), (_, _) => heard.TrySetResult());
        await Eventually.IsTrueAsync(
            async () => await connection.GetDatabase().PublishAsync(RedisChannel.Literal("others"), "") == 1, Patience, "the connection for notifications is restored");
        await AssertNothingLeftAsync(server, store);
    }

    /// <summary>What the client asked for and had no reply to in time may be carried out all the same, or not.</summary>
    [Theory]
    [Failure("F50")]
    [MemberData(nameof(Ways))]
    public async Task A_node_that_ends_while_the_server_stands_still_leaves_nothing(bool synchronously, string protocol)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectAsync(server, protocol + ",asyncTimeout=300,syncTimeout=300");
        var store = await LiveAsync(connection, async services =>
        {
            await services.GetRequiredService<ILockStore>().SubscribeAsync("ada", static _ => { }, Token);
            server.Pause();

            await EndAsync(services, synchronously);

            // Longer than the commands of an asynchronous end are given, and those of a synchronous one that go on behind it.
            await Task.Delay(TimeSpan.FromSeconds(1.5), Token);
            server.Resume();
        });

        await AssertNothingLeftAsync(server, store);
    }

    [Theory]
    [Failure("F50")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_store_that_ended_refuses_and_subscribes_nobody(bool synchronously)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectAsync(server, "resp3");
        ILockStore? store = null;
        await LiveAsync(connection, services =>
        {
            store = services.GetRequiredService<ILockStore>();
            return EndAsync(services, synchronously);
        });

        var error = await Assert.ThrowsAsync<LockStoreException>(() => store!.SubscribeAsync("ada", static _ => { }, Token));

        Assert.False(error.IsTransient);
        Assert.Equal(0, await ListenersAsync(server));
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(RedisProcess server, string protocol)
    {
        var settings = ConfigurationOptions.Parse($"{server.ConnectionString},protocol={protocol},abortConnect=false");
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(200);
        return await ConnectionMultiplexer.ConnectAsync(settings);
    }

    /// <summary>Has a node live and end, and keeps nothing of it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> LiveAsync(IConnectionMultiplexer connection, Func<ServiceProvider, Task> live)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(connection);
        services.AddCoordination().UseRedis();
        var provider = services.BuildServiceProvider();
        var store = new WeakReference(provider.GetRequiredService<ILockStore>());
        await live(provider);
        return store;
    }

    private static async Task EndAsync(ServiceProvider services, bool synchronously)
    {
        if (synchronously)
        {
            services.Dispose();
        }
        else
        {
            await services.DisposeAsync();
        }
    }

    private static async Task AssertNothingLeftAsync(RedisProcess server, WeakReference store)
    {
        await Eventually.IsTrueAsync(async () => await ListenersAsync(server) == 0, Patience, "nobody listens");
        await Eventually.IsTrueAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !store.IsAlive;
            },
            Patience,
            "the store is collected");
        Assert.Equal(0, await ListenersAsync(server));
    }

    private static async Task<int> ListenersAsync(RedisProcess server) =>
        ((RedisResult[])(await RedisTopology.AskAsync(server, "PUBSUB", "CHANNELS", "*node:*"))!).Length;
}
