using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

/// <summary>The least that a lock can be: two round trips and no library. It does not wait, and is not renewed.</summary>
internal sealed class RawCommands(IConnectionMultiplexer connection, TimeSpan lease) : ILockPeer
{
    private const string CompareAndDelete = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

    private readonly IDatabase _database = connection.GetDatabase();

    public async Task<IAsyncDisposable> AcquireAsync(string name)
    {
        RedisValue owner = Guid.NewGuid().ToString("N");
        return await _database.StringSetAsync(name, owner, lease, When.NotExists)
            ? new Held(_database, name, owner)
            : throw new InvalidOperationException($"'{name}' is held.");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Held(IDatabase database, RedisKey key, RedisValue owner) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await database.ScriptEvaluateAsync(CompareAndDelete, [key], [owner]);
    }
}
