using RedLockNet.SERedis;
using RedLockNet.SERedis.Configuration;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

/// <summary>RedLock.net on one server, with its defaults; it has none for how often a waiter asks.</summary>
internal sealed class RedLockPeer(IConnectionMultiplexer connection, TimeSpan lease) : ILockPeer
{
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(100);

    private readonly RedLockFactory _factory = RedLockFactory.Create([new RedLockMultiplexer(connection)]);

    public async Task<IAsyncDisposable> AcquireAsync(string name)
    {
        var held = await _factory.CreateLockAsync(name, lease, Wait, Retry);
        return held.IsAcquired ? held : throw new InvalidOperationException($"'{name}' was not granted: {held.Status}.");
    }

    public ValueTask DisposeAsync()
    {
        _factory.Dispose();
        return ValueTask.CompletedTask;
    }
}
