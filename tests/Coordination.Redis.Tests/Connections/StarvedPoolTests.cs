using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Connections;

/// <summary>On a redis-server of its own.</summary>
[Collection(nameof(Alone))]
[Needs(Need.RedisServer)]
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
        Assert.Equal(lease.FencingToken, (await node.Administration.GetHolderAsync("orders", token))!.FencingToken);
    }

    /// <summary>A clock as applications have them: its timers are the system's.</summary>
    private sealed class OtherDate : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddYears(1);
    }
}
