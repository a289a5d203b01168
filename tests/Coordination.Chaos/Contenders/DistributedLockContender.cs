using Medallion.Threading;
using Medallion.Threading.Redis;
using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>DistributedLock.Redis, with its defaults but for the lease.</summary>
internal sealed class DistributedLockContender(ConnectionMultiplexer connection, TimeSpan lease) : IContender
{
    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken) =>
        new Holding(await new RedisDistributedLock(lockName, connection.GetDatabase(), options => options.Expiry(lease)).AcquireAsync(cancellationToken: cancellationToken));

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private sealed class Holding(IDistributedSynchronizationHandle handle) : IHolding
    {
        public long? Token => null;

        public CancellationToken Lost { get; } = handle.HandleLostToken;

        public async Task<string> ReleaseAsync()
        {
            await handle.DisposeAsync();
            return "disposed";
        }
    }
}
