using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Leases;

[Collection(nameof(Alone))]
public sealed class StarvedPoolTests
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMilliseconds(600);

    [Fact]
    public async Task F17_Renewals_and_losses_keep_their_time_with_every_thread_of_the_pool_blocked()
    {
        var store = new InMemoryLockStore();
        await using var node = new ServiceCollection().AddCoordination(o => o.LeaseDuration = LeaseDuration).UseInMemory(store).Services.BuildServiceProvider();
        var provider = node.GetRequiredService<ILockProvider>();
        var kept = await provider.GetLock("kept").AcquireAsync(TestContext.Current.CancellationToken);
        var taken = await provider.GetLock("taken").AcquireAsync(TestContext.Current.CancellationToken);
        store.Delete("taken");
        using var starved = new BlockedPool();

        // This thread waits without the pool: what is awaited here would not go on.
        Assert.True(SpinWait.SpinUntil(() => taken.Lost.IsCancellationRequested, LeaseDuration), "The loss was not seen in time.");
        var until = TimeProvider.System.GetTimestamp();
        SpinWait.SpinUntil(() => TimeProvider.System.GetElapsedTime(until) > LeaseDuration * 4);
        Assert.Equal(LeaseState.Held, kept.State);
        Assert.Equal(LeaseLossReason.NotOwner, taken.LossReason);
    }
}
