using Medallion.Threading.Redis;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

/// <summary>DistributedLock.Redis, with its defaults but for the lease.</summary>
internal sealed class DistributedLockPeer(IConnectionMultiplexer connection, TimeSpan lease) : ILockPeer
{
    private readonly IDatabase _database = connection.GetDatabase();

    public async Task<IAsyncDisposable> AcquireAsync(string name) =>
        await new RedisDistributedLock(name, _database, Lease).AcquireAsync();

    public async Task<IAsyncDisposable> AcquireAsync(string name, LockShare? share) => share?.Kind switch
    {
        null => await AcquireAsync(name),
        LockShareKind.Permit => await new RedisDistributedSemaphore(name, share.Capacity.Permits, _database, Lease).AcquireAsync(),
        LockShareKind.Read => await new RedisDistributedReaderWriterLock(name, _database, Lease).AcquireReadLockAsync(),
        LockShareKind.Write => await new RedisDistributedReaderWriterLock(name, _database, Lease).AcquireWriteLockAsync(),
        _ => throw new NotSupportedException($"DistributedLock.Redis has no {share.Kind}."),
    };

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Lease(RedisDistributedSynchronizationOptionsBuilder options) => options.Expiry(lease);
}
