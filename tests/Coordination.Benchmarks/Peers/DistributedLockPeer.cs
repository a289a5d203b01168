using Medallion.Threading.Redis;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

/// <summary>DistributedLock.Redis, with its defaults but for the lease.</summary>
internal sealed class DistributedLockPeer(IConnectionMultiplexer connection, TimeSpan lease) : ILockPeer
{
    private readonly IDatabase _database = connection.GetDatabase();

    public async Task<IAsyncDisposable> AcquireAsync(string name) =>
        await new RedisDistributedLock(name, _database, options => options.Expiry(lease)).AcquireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
