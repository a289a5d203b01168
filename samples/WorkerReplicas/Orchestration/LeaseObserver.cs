using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace WorkerReplicas.Orchestration;

/// <summary>Looks at the lock from outside, and takes no part.</summary>
internal sealed class LeaseObserver(string redis, string lockName) : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddCoordination().UseRedis(redis).Services.BuildServiceProvider();

    private ILockStore Store => _services.GetRequiredService<ILockStore>();

    public Task PingAsync(CancellationToken cancellationToken) => Store.PingAsync(cancellationToken);

    /// <summary>When the lease of this token ends by itself; null when another has the lock, or nobody.</summary>
    public async Task<TimeSpan?> LeaseEndsAtAsync(long token, CancellationToken cancellationToken)
    {
        var holder = await Store.GetHolderAsync(lockName, cancellationToken);
        return holder?.FencingToken == token ? MonotonicClock.Now + holder.TimeToLive : null;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
