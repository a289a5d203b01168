using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Tells no waiter that the lock is its own now.</summary>
internal sealed class TellsNobody(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        base.SubscribeAsync(nodeId, _ => { }, cancellationToken);
}
