using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests;

public class Smoke
{
    [Fact]
    public async Task Runs()
    {
        var store = new Stores.InMemoryLockStore();
        await using var a = new ServiceCollection().AddCoordination().UseInMemory(store).Services.BuildServiceProvider();
        await using var b = new ServiceCollection().AddCoordination().UseInMemory(store).Services.BuildServiceProvider();
        var la = a.GetRequiredService<ILockProvider>().GetLock("x");
        var lb = b.GetRequiredService<ILockProvider>().GetLock("x");
        var lease = await la.AcquireAsync(TestContext.Current.CancellationToken);
        Assert.Null(await lb.TryAcquireAsync(TestContext.Current.CancellationToken));
        var waiting = lb.AcquireAsync(TestContext.Current.CancellationToken);
        Assert.Null(await lb.TryAcquireAsync(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken));
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(TestContext.Current.CancellationToken));
        var second = await waiting;
        Assert.True(second.FencingToken > lease.FencingToken);
        Assert.Equal(RenewalResult.Renewed, await second.RenewAsync(TestContext.Current.CancellationToken));
        await second.DisposeAsync();
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public async Task Renews()
    {
        var store = new Stores.InMemoryLockStore();
        await using var a = new ServiceCollection().AddCoordination(o => o.LeaseDuration = TimeSpan.FromMilliseconds(300)).UseInMemory(store).Services.BuildServiceProvider();
        var lease = await a.GetRequiredService<ILockProvider>().GetLock("x").AcquireAsync(TestContext.Current.CancellationToken);
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        Assert.Equal(LeaseState.Held, lease.State);
        store.Clear();
        await Task.Delay(1000, lease.Lost).ContinueWith(_ => { }, TestContext.Current.CancellationToken, TaskContinuationOptions.None, TaskScheduler.Default);
        Assert.Equal(LeaseLossReason.NotOwner, lease.LossReason);
    }
}
