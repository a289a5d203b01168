using Coordination.Stores;

namespace Coordination.TestKit.Stores;

/// <summary>A store that keeps locks and can do nothing else.</summary>
public sealed class StoreWithoutAdministration(ILockStore inner) : ILockStore
{
    public string Name => "bare";

    public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) => inner.AcquireAsync(request, cancellationToken);

    public Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        inner.RenewAsync(requests, cancellationToken);

    public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) => inner.ReleaseAsync(request, cancellationToken);

    public Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        inner.SubscribeAsync(nodeId, handler, cancellationToken);
}
