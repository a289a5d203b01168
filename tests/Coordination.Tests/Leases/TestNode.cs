using Coordination.Leases;
using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Leases;

/// <summary>A node whose watchdog is looked at: it is known exactly when everything that was due is done.</summary>
internal sealed class TestNode(TestClock? clock = null, ControllableLockStore? store = null, Action<IServiceCollection>? configure = null, ILockStore? actualStore = null)
    : ClockedNode(clock, store, configure, actualStore)
{
    public Watchdog Watchdog => Services.GetRequiredService<Watchdog>();

    public override void Settle() => Assert.True(SpinWait.SpinUntil(() => Watchdog.IsIdle, RealTimeLimit), "The watchdog did not come to rest.");
}
