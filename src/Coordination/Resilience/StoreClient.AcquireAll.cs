using Coordination.Stores;

namespace Coordination.Resilience;

/// <content>Several locks in one step.</content>
internal sealed partial class StoreClient
{
    /// <summary>Tries once to acquire several locks in one step, as <see cref="TryAcquireAsync"/> one.</summary>
    /// <returns>As <see cref="ILockStore.TryAcquireAllAsync"/>: null where the store has no such step for them.</returns>
    public ValueTask<TimedReply<IReadOnlyList<AcquireReply>?>> TryAcquireAllAsync(
        IReadOnlyList<AcquireRequest> requests, TimeSpan limit, Sending sending, CancellationToken cancellationToken) =>
        CallAsync(store, pipelines.Acquisition, requests, static (store, requests, token) => store.TryAcquireAllAsync(requests, token), PlanOfTry(requests[0].LockName, limit, sending), cancellationToken);
}
