using Coordination.Chaos.Workers;
using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Chaos.Contenders;

/// <summary>Drops every notification while the process was told not to hear them.</summary>
internal sealed class DeafStore(ILockStore inner, WorkerSignals signals) : DelegatingLockStore(inner)
{
    public override Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        base.SubscribeAsync(
            nodeId,
            notification =>
            {
                if (!signals.IsDeaf)
                {
                    handler(notification);
                }
            },
            cancellationToken);
}
