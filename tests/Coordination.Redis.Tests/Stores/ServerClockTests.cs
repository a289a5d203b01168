using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.ExceptionServices;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <summary>Whether an ask and a handover are known to be of one server's clock. Another one may take over, and all that a node sees of it is that it connects anew.</summary>
[Needs(Need.RedisServer)]
public sealed class ServerClockTests : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly LockOwner _bob = new("host-2-bob", 1);
    private readonly ConcurrentQueue<LockNotification> _heard = new();
    private RedisProcess _server = null!;
    private TestNode _others = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisProcess.StartAsync();
        _others = new TestNode(_server.ConnectionString, _prefix);
    }

    public async ValueTask DisposeAsync()
    {
        await _others.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    [Promise("G2")]
    public async Task An_ask_and_a_handover_over_the_same_connections_are_of_one_clock()
    {
        await using var node = new TestNode(_server.ConnectionString, _prefix);
        await using var subscription = await SubscribeAsync(node);
        await HandsOverByOneClockAsync(node, "orders");
    }

    /// <summary>Whatever the client tells of it by its events, and when: the message may be handled before them.</summary>
    [Theory]
    [Promise("G2")]
    [InlineData("pubsub")]
    [InlineData("normal")]
    public async Task A_handover_after_a_reconnect_is_not_of_the_clock_of_an_ask_before_it(string lost)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(_server.ConnectionString + ",protocol=resp2");
        await using var node = NodeOn(SilentOf(connection));
        await using var subscription = await SubscribeAsync(node);
        await HandsOverByOneClockAsync(node, "orders");
        await HoldAsync("invoices");
        var asked = await AskAsync(node, "invoices");
        Assert.NotNull(asked.StoreTime);

        await RedisTopology.AskAsync(_server, "CLIENT", "KILL", "TYPE", lost);
        await Eventually.IsTrueAsync(
            async () => (int)(await RedisTopology.AskAsync(_server, "PUBSUB", "NUMSUB", Channel))[1] == 1, Patience, "the node listens again");
        await Eventually.IsTrueAsync(() => connection.GetServers()[0].IsConnected, Patience);

        // The connection of the others is of that type, too.
        await Eventually.IsTrueAsync(OthersAreBackAsync, Patience, "the others are connected again");
        await ReleaseAsync("invoices");

        await Eventually.IsTrueAsync(() => _heard.Any(heard => heard.LockName == "invoices"), Patience);
        var told = _heard.First(heard => heard.LockName == "invoices");
        Assert.NotEqual(asked.StoreClock, told.Handover?.StoreClock ?? 0);

        // From the next ask on it is known again.
        await Eventually.IsTrueAsync(async () => await IsOfOneClockAsync(node, Guid.NewGuid().ToString("N")), Patience);
    }

    [Fact]
    [Promise("G2")]
    public async Task A_message_read_before_a_reconnect_is_of_no_clock_however_late_it_is_handled()
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(_server.ConnectionString);
        var handlers = new ConcurrentQueue<Action<RedisChannel, RedisValue>>();
        await using var node = NodeOn(SilentOf(connection, handlers));
        await using var subscription = await SubscribeAsync(node);
        await HandsOverByOneClockAsync(node, "orders");
        var before = handlers.ToArray();

        await RedisTopology.AskAsync(_server, "CLIENT", "KILL", "TYPE", "pubsub");
        await Eventually.IsTrueAsync(async () => await IsOfOneClockAsync(node, Guid.NewGuid().ToString("N")), Patience);

        var late = _prefix + "-late";
        RedisValue message = $"granted\n{late}\n{_bob}#1\n1767225600000123\n{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}000\n2000";
        foreach (var handler in before)
        {
            handler(RedisChannel.Literal(Channel), message);
        }

        var told = _heard.Where(heard => heard.LockName == late).ToArray();
        Assert.NotEmpty(told);
        Assert.All(told, heard => Assert.Null(heard.Handover));
    }

    private string Channel => $"{_prefix}:v2:node:{_bob.NodeId}";

    private TestNode NodeOn(IConnectionMultiplexer connection) =>
        new(builder => builder.UseRedis(options => (options.KeyPrefix, options.ProbeOnStart) = (_prefix, false)).Services.AddSingleton(connection));

    private async Task<IAsyncDisposable> SubscribeAsync(TestNode node) => await node.Store.SubscribeAsync(_bob.NodeId, _heard.Enqueue, Token);

    private async Task HandsOverByOneClockAsync(TestNode node, string lockName) => Assert.True(await IsOfOneClockAsync(node, lockName));

    /// <summary>Whether a waiter could hold what is handed over to it, before it has claimed it.</summary>
    private async Task<bool> IsOfOneClockAsync(TestNode node, string lockName)
    {
        await HoldAsync(lockName);
        var asked = await AskAsync(node, lockName);
        await ReleaseAsync(lockName);
        await Eventually.IsTrueAsync(() => _heard.Any(heard => heard.LockName == lockName), Patience);
        return _heard.First(heard => heard.LockName == lockName).Handover is { } handover && asked.StoreTime is not null && handover.StoreClock == asked.StoreClock;
    }

    private async Task<bool> OthersAreBackAsync()
    {
        try
        {
            await ((ILockStoreAdministration)_others.Store).PingAsync(Token);
            return true;
        }
        catch (LockStoreException away) when (away.IsTransient)
        {
            // It connects again.
            return false;
        }
    }

    private async Task HoldAsync(string lockName) =>
        Assert.True((await _others.Store.AcquireAsync(Requests.Acquire(lockName, _ada, Lease), Token)).IsGranted);

    private async Task<AcquireReply> AskAsync(TestNode node, string lockName)
    {
        var reply = await node.Store.AcquireAsync(Requests.Acquire(lockName, _bob, Lease, wait: true), Token);
        Assert.False(reply.IsGranted);
        return reply;
    }

    private async Task ReleaseAsync(string lockName) =>
        Assert.Equal(ReleaseReply.Released, await _others.Store.ReleaseAsync(Requests.Release(lockName, _ada, TimeSpan.FromSeconds(2)), Token));

    private static IConnectionMultiplexer SilentOf(IConnectionMultiplexer connection, ConcurrentQueue<Action<RedisChannel, RedisValue>>? handlers = null) =>
        Passing<IConnectionMultiplexer>.Of(
            connection,
            (method, arguments, result) => method.Name == nameof(IConnectionMultiplexer.GetSubscriber)
                ? Passing<ISubscriber>.Of((ISubscriber)result!, (method, arguments, result) =>
                {
                    if (method.Name == nameof(ISubscriber.SubscribeAsync) && arguments is [_, Action<RedisChannel, RedisValue> handler, ..])
                    {
                        handlers?.Enqueue(handler);
                    }

                    return result;
                })
                : result);

    /// <summary>Passes every call on, but for the subscriptions to events: a client tells of what happens some time, or never.</summary>
    [SuppressMessage("Performance", "CA1852:Seal internal types", Justification = "DispatchProxy derives from it.")]
    internal class Passing<T> : DispatchProxy
        where T : class
    {
        private T _inner = null!;
        private Func<MethodInfo, object?[], object?, object?> _look = null!;

        public static T Of(T inner, Func<MethodInfo, object?[], object?, object?> look)
        {
            var passing = Create<T, Passing<T>>();
            ((Passing<T>)(object)passing)._inner = inner;
            ((Passing<T>)(object)passing)._look = look;
            return passing;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.IsSpecialName && targetMethod.Name.StartsWith("add_", StringComparison.Ordinal))
            {
                return null;
            }

            try
            {
                return _look(targetMethod, args ?? [], targetMethod.Invoke(_inner, args));
            }
            catch (TargetInvocationException thrown)
            {
                ExceptionDispatchInfo.Throw(thrown.InnerException!);
                throw;
            }
        }
    }
}
