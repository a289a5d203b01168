using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Connections;

/// <summary>Tests that take something from all others, such as the thread pool.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>On a redis-server of its own.</summary>
[Collection(nameof(Alone))]
public sealed class StarvedPoolTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task F17_Renewal_KeepsItsTime_WithEveryPoolThreadBlocked(bool hasClockOfItsOwn)
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(
            builder =>
            {
                builder.UseRedis(server.ConnectionString, options => options.ProbeOnStart = false);
                if (hasClockOfItsOwn)
                {
                    builder.Services.AddSingleton<TimeProvider>(new OtherDate());
                }
            },
            coordination => coordination.LeaseDuration = Lease);
        var provider = node.Services.GetRequiredService<ILockProvider>();
        await using var lease = await provider.GetLock("orders").AcquireAsync(token);

        using (new BlockedPool())
        {
            // For longer than two leases: nothing runs but this thread and those that belong to nobody's pool.
            using var never = new ManualResetEventSlim();
            never.Wait(2 * Lease + Lease / 2, CancellationToken.None);
        }

        Assert.Equal(LeaseState.Held, lease.State);
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.Equal(lease.FencingToken, (await node.Store.GetHolderAsync("orders", token))!.FencingToken);
    }

    /// <summary>A clock as applications have them: its timers are the system's.</summary>
    private sealed class OtherDate : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddYears(1);
    }

    /// <summary>Keeps every thread of the pool busy, and the pool from making more.</summary>
    private sealed class BlockedPool : IDisposable
    {
        private readonly ManualResetEvent _release = new(initialState: false);
        private readonly int _max;
        private readonly int _maxPorts;
        private readonly int _min;
        private readonly int _minPorts;

        public BlockedPool()
        {
            ThreadPool.GetMaxThreads(out _max, out _maxPorts);
            ThreadPool.GetMinThreads(out _min, out _minPorts);
            var most = Math.Max(ThreadPool.ThreadCount, _min) + 2;
            Assert.True(ThreadPool.SetMaxThreads(most, _maxPorts));
            // Up to the minimum the pool makes threads at once, so all are blocked before the first renewal.
            Assert.True(ThreadPool.SetMinThreads(most, _minPorts));
            var blocked = 0;
            for (var i = 0; i < 4 * most; i++)
            {
                ThreadPool.UnsafeQueueUserWorkItem(
                    _ =>
                    {
                        Interlocked.Increment(ref blocked);
                        _release.WaitOne();
                    },
                    null);
            }

            // One may be this thread.
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref blocked) >= most - 1, TimeSpan.FromSeconds(30)), "the pool is blocked");
        }

        public void Dispose()
        {
            _release.Set();
            ThreadPool.SetMinThreads(_min, _minPorts);
            ThreadPool.SetMaxThreads(_max, _maxPorts);
        }
    }
}
