using System.Runtime.CompilerServices;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Network;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Connections;

/// <summary>What lives as long as the node keeps nothing of the call that happened to begin it.</summary>
[Needs(Need.RedisServer)]
public sealed class AmbientTests
{
    private static readonly AsyncLocal<object?> Ambient = new();

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F42")]
    [InlineData("resp2", false)]
    [InlineData("resp3", false)]
    [InlineData("resp3", true)]
    public async Task What_is_ambient_for_the_first_caller_is_not_kept_and_not_seen_later(string protocol, bool probe)
    {
        await using var servers = await RedisPair.StartAsync();
        await using var proxy = new ChaosProxy(servers.Master.Port);
        var seen = new AmbientLog();
        await using var node = new TestNode(builder =>
        {
            builder.UseRedis($"{FreePort.Local(proxy.Port)},protocol={protocol}", options => options.ProbeOnStart = probe);
            builder.Services.AddLogging(logging => logging.AddProvider(seen));
        });
        var heard = 0;

        var ambient = await BeginAsync(node, _ =>
        {
            Interlocked.Increment(ref heard);
            seen.Look("a notification");
        });
        await using var connection = await servers.Master.ConnectAsOperatorAsync();
        await connection.GetDatabase().PublishAsync(RedisChannel.Literal("coordination:v2:node:ada"), "granted\norders\nada/1#1\n7\n1767225600000123\n2000");
        await Eventually.IsTrueAsync(() => Volatile.Read(ref heard) > 0, Patience, "a notification is heard");
        AssertIsCollected(ambient);

        // Lost, restored, and told so.
        await servers.Master.KillAsync();
        await Eventually.IsTrueAsync(() => seen.Has(1101), Patience, "the connection is lost");
        await servers.Master.StartAgainAsync();
        await Eventually.IsTrueAsync(() => seen.Has(1102), Patience, "the connection is restored");
        await Eventually.IsTrueAsync(() => Volatile.Read(ref heard) > 1, Patience, "the node is told");

        // And made anew, after a call of somebody with an ambient of its own.
        var before = Volatile.Read(ref heard);
        proxy.LeadTo(servers.Replica.Port);
        await RedisTopology.AskAsync(servers.Replica, "REPLICAOF", "NO", "ONE");
        await RedisTopology.AskAsync(servers.Master, "REPLICAOF", "127.0.0.1", $"{servers.Replica.Port}");
        var other = await FailAsync(node);
        await Eventually.IsTrueAsync(() => seen.Has(1108), Patience, "the primary is found");
        await Eventually.IsTrueAsync(() => Volatile.Read(ref heard) > before, Patience, "the node is told");
        AssertIsCollected(other);
        Assert.Empty(seen.With);
    }

    /// <summary>The call that makes the connection, has the server examined and subscribes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<WeakReference> BeginAsync(TestNode node, Action<LockNotification> handler) =>
        WithAmbientAsync(() => node.Store.SubscribeAsync("ada", handler, Token));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<WeakReference> FailAsync(TestNode node) =>
        WithAmbientAsync(() => Eventually.IsTrueAsync(
            async () => await Record.ExceptionAsync(() => node.Store.AcquireAsync(Requests.Acquire("orders", new("ada", 1), TimeSpan.FromSeconds(5)), Token)) is LockStoreException,
            Patience,
            "the old primary refuses"));

    /// <summary>On the pool, so that nothing of the test itself has it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<WeakReference> WithAmbientAsync(Func<Task> call) => Task.Run(async () =>
    {
        var ambient = new object();
        Ambient.Value = ambient;
        await call();
        return new WeakReference(ambient);
    });

    private static void AssertIsCollected(WeakReference ambient) =>
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    return !ambient.IsAlive;
                },
                Patience),
            "The ambient of the call is kept.");

    /// <summary>Looks at the ambient of those who log.</summary>
    private sealed class AmbientLog : ILoggerProvider, ILogger
    {
        private readonly Lock _gate = new();
        private readonly HashSet<int> _lines = [];
        private readonly List<string> _with = [];

        public string[] With
        {
            get
            {
                lock (_gate)
                {
                    return [.. _with];
                }
            }
        }

        public bool Has(int line)
        {
            lock (_gate)
            {
                return _lines.Contains(line);
            }
        }

        public void Look(string where)
        {
            if (Ambient.Value is not null)
            {
                lock (_gate)
                {
                    _with.Add(where);
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Look(formatter(state, exception));
            lock (_gate)
            {
                _lines.Add(eventId.Id);
            }
        }

        public void Dispose()
        {
            // Holds nothing.
        }
    }
}
