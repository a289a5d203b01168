using System.Diagnostics;
using Coordination.Redis.Stores;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Stores;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordination.Redis.Tests.Connections;

/// <summary>How often a node asks a server that hangs or is dead, and how it goes on when it is back.</summary>
[Needs(Need.RedisServer, Need.LongTier)]
public sealed class CallsInOutageTests(ITestOutputHelper output)
{
    private const int Leases = 200;
    private const int Seconds = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G12")]
    [Failure("F40")]
    [InlineData(1, false, false)]
    [InlineData(100, false, false)]
    [InlineData(1_000, false, false)]
    [InlineData(1_000, false, true)]
    [InlineData(1, true, false)]
    [InlineData(100, true, false)]
    [InlineData(1_000, true, false)]
    public async Task A_server_or_Cluster_that_is_away_is_asked_five_times_a_second_at_most(int wanted, bool isKilled, bool isCluster)
    {
        await using var cluster = isCluster ? await RedisCluster.StartAsync(TimeSpan.FromSeconds(30)) : null;
        await using var single = isCluster ? null : await RedisProcess.StartAsync();
        var servers = cluster?.Masters ?? [single!];
        await using var node = new TestNode(
            builder =>
            {
                builder.UseRedis(cluster?.ConnectionString ?? single!.ConnectionString, options =>
                {
                    options.ProbeOnStart = false;
                    options.CommandTimeout = TimeSpan.FromMilliseconds(500);
                });
                builder.Services.Replace(ServiceDescriptor.Singleton<ILockStore>(services => new CountedStore(services.GetRequiredService<RedisLockStore>())));
            },
            options => (options.LeaseDuration, options.RenewalInterval) = (TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5)));
        var (store, condition) = ((CountedStore)node.Store, node.Services.GetRequiredService<StoreCondition>());
        var held = await Task.WhenAll(Enumerable.Range(0, Leases).Select(i => node.GetLock("held" + i).AcquireAsync(Token)));

        foreach (var server in servers)
        {
            if (isKilled)
            {
                await server.KillAsync();
            }
            else
            {
                server.Pause();
            }
        }

        var waiting = Enumerable.Range(0, wanted).Select(i => node.GetLock("wanted" + i).AcquireAsync(Token)).ToList();
        await Eventually.IsTrueAsync(() => condition.Trouble is not null, Patience, "the node has noticed");

        // What was under way ends within its time limit; from then on the gate has it all.
        var tries = new List<Task>();
        var calm = await CountAsync(TimeSpan.FromSeconds(2));
        var asked = await CountAsync(TimeSpan.FromSeconds(Seconds));
        output.WriteLine($"{wanted} wanted, {servers.Count} {(isKilled ? "killed" : "paused")}: {asked / (double)Seconds} calls a second; {calm} in the first two");
        Assert.InRange(asked, Seconds, (5 * Seconds) + 1);

        foreach (var server in servers)
        {
            if (isKilled)
            {
                await server.StartAgainAsync();
            }
            else
            {
                server.Resume();
            }
        }

        await Task.WhenAny(waiting).WaitAsync(Patience, Token);
        var first = Stopwatch.GetTimestamp();
        await Task.WhenAll(waiting).WaitAsync(Patience, Token);
        output.WriteLine($"all went on within {Stopwatch.GetElapsedTime(first).TotalMilliseconds:F0} ms");

        // At five a second a hundred would take twenty.
        Assert.InRange(Stopwatch.GetElapsedTime(first), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        if (!isKilled)
        {
            await Eventually.IsTrueAsync(() => Array.TrueForAll(held, lease => lease.State == LeaseState.Held), Patience, "the leases stand");
        }

        await Eventually.IsTrueAsync(() => condition.Trouble is null, Patience, "the outage is over");

        async Task<int> CountAsync(TimeSpan time)
        {
            var before = store.Asked;
            // What is tested is a rate: calls that come all the time, and how many of them reach the server in that time.
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            // Until that time is over.
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < time;)
            {
                tries.Add(node.GetLock("tried" + tries.Count).TryAcquireAsync(Token));
                await timer.WaitForNextTickAsync(Token);
            }

            return store.Asked - before;
        }
    }

    /// <summary>The connection was lost before anything was sent.</summary>
    [Fact]
    [Failure("F40")]
    public async Task What_found_no_connection_was_not_sent_and_what_had_no_reply_may_be_applied()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(builder => builder.UseRedis(server.ConnectionString, options =>
        {
            options.ProbeOnStart = false;
            options.CommandTimeout = TimeSpan.FromMilliseconds(500);
        }));
        var request = Requests.Acquire("orders", new LockOwner("host-1-ada", 1), TimeSpan.FromMinutes(3), claimWindow: TimeSpan.FromSeconds(1));
        Assert.True((await node.Store.AcquireAsync(request, Token)).IsGranted);
        server.Pause();
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => node.Store.AcquireAsync(request, Token))).MayBeApplied);
        server.Resume();
        await server.KillAsync();
        await Eventually.IsTrueAsync(
            async () => await Record.ExceptionAsync(() => node.Store.AcquireAsync(request, Token)) is LockStoreException { IsTransient: true, MayBeApplied: false }, Patience, "it is known that nothing is sent");
    }

    private sealed class CountedStore(ILockStore inner) : DelegatingLockStore(inner)
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        protected override Task<T> CallAsync<T>(Func<Task<T>> ask)
        {
            Interlocked.Increment(ref _asked);
            return ask();
        }
    }
}
