using StackExchange.Redis;

namespace FlashSale.Locking;

/// <summary>
/// The lock of the textbooks: a key that is set when it is not there, and that expires should its holder die. Nothing renews it, whoever
/// waits asks again and again, and it is deleted in one of two ways.
/// </summary>
internal sealed class BasicLock(IDatabase database, string name, bool deleteOnlyOwn)
{
    private const int MinRetryMilliseconds = 50;
    private const int MaxRetryMilliseconds = 150;

    private readonly RedisKey _key = $"{name}:basic-lock";
    private readonly string _holder = Guid.NewGuid().ToString("N");

    public async Task AcquireAsync(CancellationToken cancellationToken)
    {
        while (!await database.StringSetAsync(_key, _holder, Sale.Lease, When.NotExists))
        {
            await Task.Delay(Random.Shared.Next(MinRetryMilliseconds, MaxRetryMilliseconds), cancellationToken);
        }
    }

    /// <summary>Deletes the lock.</summary>
    /// <returns>False when it was another's lock that was deleted.</returns>
    public async Task<bool> ReleaseAsync()
    {
        if (deleteOnlyOwn)
        {
            await database.ScriptEvaluateAsync(
                """
                if redis.call('GET', KEYS[1]) == ARGV[1] then
                  return redis.call('DEL', KEYS[1])
                end
                return 0
                """,
                [_key],
                [_holder]);
            return true;
        }

        // Deletes whatever is there, as DEL does, and says what it was.
        var deleted = await database.StringGetDeleteAsync(_key);
        return deleted.IsNull || deleted == _holder;
    }
}
