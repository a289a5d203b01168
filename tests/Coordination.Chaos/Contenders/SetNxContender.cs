using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: what is written when there is no library. It is not renewed, and tells nobody that it has expired.</summary>
internal sealed class SetNxContender(ConnectionMultiplexer connection, TimeSpan lease) : IContender
{
    private const string CompareAndDelete = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken)
    {
        var database = connection.GetDatabase();
        RedisValue owner = Guid.NewGuid().ToString("N");
        while (!await database.StringSetAsync(lockName, owner, lease, When.NotExists))
        {
            await Task.Delay(Retry, cancellationToken);
        }

        return new Holding(database, lockName, owner);
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private sealed class Holding(IDatabase database, RedisKey key, RedisValue owner) : IHolding
    {
        public long? Token => null;

        public CancellationToken Lost => CancellationToken.None;

        public async Task<string> ReleaseAsync() => (await database.ScriptEvaluateAsync(CompareAndDelete, [key], [owner])).ToString();
    }
}
