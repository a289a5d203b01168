using Coordination.Stores.InMemory;
using Coordination.Telemetry;
using Coordination.TestKit.Clocks;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Resilience;

/// <summary>One lock that the store cannot work on, and others on which it can.</summary>
public sealed class BusyLockTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G12")]
    public async Task A_lock_that_is_busy_is_asked_for_again_and_no_other_waits_for_it()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock)) { KnowsShards = false };
        await using var node = new TestNode(clock, actualStore: store);
        store.Fault = name => name == "busy" ? new LockStoreException("Something else works on it.", isTransient: true) { MayBeApplied = false, IsLockBusy = true } : null;
        var waiting = node.AcquireAsync("busy");
        for (var i = 0; i < 60; i++)
        {
            node.Advance(TimeSpan.FromSeconds(1.5));
            var other = await node.Provider.GetLock("other").TryAcquireAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
            Assert.Equal(ReleaseResult.Released, await other!.ReleaseAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        }

        Assert.False(waiting.IsCompleted);
        Assert.Null(node.Services.GetRequiredService<StoreCondition>().Trouble);
        store.Fault = _ => null;
        Assert.True(node.AdvanceUntil(() => waiting.IsCompletedSuccessfully, TimeSpan.FromSeconds(2)));

        // It is said once a minute, and is no outage.
        Assert.Equal([1018, 1018], node.Logs.GetSnapshot().Select(line => line.Id.Id).Where(id => id is >= 1010 and <= 1019));
    }
}
