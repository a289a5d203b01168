using RedLockNet;
using RedLockNet.SERedis;
using RedLockNet.SERedis.Configuration;
using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>RedLock.net on one server. It has no signal of a loss; its holder can look at IsAcquired, and this one does each millisecond.</summary>
internal sealed class RedLockContender(ConnectionMultiplexer connection, TimeSpan lease) : IContender
{
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    private readonly RedLockFactory _factory = RedLockFactory.Create([new RedLockMultiplexer(connection)]);

    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken)
    {
        var held = await _factory.CreateLockAsync(lockName, lease, Wait, Retry, cancellationToken);
        return held.IsAcquired ? new Holding(held) : null;
    }

    public async ValueTask DisposeAsync()
    {
        _factory.Dispose();
        await connection.DisposeAsync();
    }

    private sealed class Holding(IRedLock held) : IHolding
    {
        private readonly PolledLoss _lost = new(() => !held.IsAcquired);

        public long? Token => null;

        public CancellationToken Lost => _lost.Token;

        public async Task<string> ReleaseAsync()
        {
            await held.DisposeAsync();
            return "disposed";
        }

        public void Dispose() => _lost.Dispose();
    }
}
