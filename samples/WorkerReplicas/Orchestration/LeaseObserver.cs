using Coordination;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using SampleKit.Processes;
using WorkerReplicas.CommandLine;

namespace WorkerReplicas.Orchestration;

/// <summary>Looks at the lock from outside, and takes no part.</summary>
internal sealed class LeaseObserver(StoreAddress store, string lockName) : IAsyncDisposable
{
    private readonly ServiceProvider _services = store.Use(new ServiceCollection().AddCoordination()).Services.BuildServiceProvider();

    private ILockStoreAdministration Store => _services.GetRequiredService<ILockStoreAdministration>();

    public Task PingAsync(CancellationToken cancellationToken) => Store.PingAsync(cancellationToken);

    /// <summary>When the lease of this token ends by itself; null when another has the lock, or nobody, or it cannot be told.</summary>
    public async Task<TimeSpan?> LeaseEndsAtAsync(long token, CancellationToken cancellationToken)
    {
        try
        {
            var holder = await Store.GetHolderAsync(lockName, cancellationToken);
            return holder?.FencingToken == token ? MonotonicClock.Now + holder.TimeToLive : null;
        }
        catch (LockStoreException e) when (e.IsTransient)
        {
            // The run goes on without this number.
            return null;
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
