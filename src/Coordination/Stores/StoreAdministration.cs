namespace Coordination.Stores;

/// <summary>The administration of whichever store is registered, and the sentence that says so where there is none.</summary>
internal sealed class StoreAdministration(ILockStore store) : ILockStoreAdministration
{
    private ILockStoreAdministration Administration => store as ILockStoreAdministration ?? throw new NotSupportedException(
        $"The store '{store.Name}' has no administration: {store.GetType()} does not implement {nameof(ILockStoreAdministration)}, so nobody can look at its locks, list them or revoke them. "
        + $"Implement it beside {nameof(ILockStore)}, or register an {nameof(ILockStoreAdministration)} of its own.");

    /// <summary>The store itself, where it can be.</summary>
    /// <remarks>A store that is to be disposed stands behind this type: the container would dispose it once more, or one that is not its own.</remarks>
    public static ILockStoreAdministration Of(ILockStore store) =>
        store is ILockStoreAdministration administration and not (IDisposable or IAsyncDisposable) ? administration : new StoreAdministration(store);

    public Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken) =>
        Administration.GetHolderAsync(lockName, cancellationToken);

    public Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken) =>
        Administration.InspectAsync(lockName, maxWaiters, cancellationToken);

    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken) =>
        Administration.ListAsync(cursor, cancellationToken);

    public Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken) =>
        Administration.RevokeAsync(lockName, fencingToken, claimWindow, cancellationToken);

    public Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken) =>
        Administration.AskToStepDownAsync(lockName, fencingToken, request, cancellationToken);

    public Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken) =>
        Administration.ForgetOccurrenceAsync(lockName, series, cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => Administration.PingAsync(cancellationToken);
}
