using StackExchange.Redis;

namespace FlashSale.Stock;

/// <summary>A segment in Redis.</summary>
internal sealed class StockKeys(IDatabase database, string sale, int number) : IStockSegment
{
    // The braces keep the keys of one segment on one node of a Cluster.
    private readonly RedisKey _left = $"{{{sale}:{number}}}:left";
    private readonly RedisKey _ledger = $"{{{sale}:{number}}}:ledger";
    private readonly RedisKey _fence = $"{{{sale}:{number}}}:fence";

    public string Name { get; } = $"{sale}:{number}";

    public async Task FillAsync(int items)
    {
        await database.StringSetAsync(_left, items, Sale.Retention);

        // With a heading, the ledger is there to be given an expiry.
        await database.ListRightPushAsync(_ledger, "item buyer");
        await database.KeyExpireAsync(_ledger, Sale.Retention);
    }

    public async Task<int> ReadAsync() => (int)await database.StringGetAsync(_left);

    public async Task WriteAsync(int left, SaleRecord sold)
    {
        await database.StringSetAsync(_left, left, Sale.Retention);
        await database.ListRightPushAsync(_ledger, sold.ToString());
    }

    /// <summary>Writes, unless a higher fencing token was seen already: whoever comes with a lower one had the lock in the past.</summary>
    /// <returns>Whether it was written.</returns>
    public async Task<bool> WriteFencedAsync(int left, SaleRecord sold, long fencingToken) =>
        (bool)await database.ScriptEvaluateAsync(
            """
            local seen = tonumber(redis.call('GET', KEYS[3]) or '0')
            if tonumber(ARGV[3]) < seen then
              return 0
            end
            redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[4])
            redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[4])
            redis.call('RPUSH', KEYS[2], ARGV[2])
            return 1
            """,
            [_left, _ledger, _fence],
            [left, sold.ToString(), fencingToken, (long)Sale.Retention.TotalSeconds]);

    /// <summary>Takes one item, if there is one, in a single step on the server.</summary>
    /// <returns>The item's number; 0 when there was none.</returns>
    public async Task<int> TakeOneAsync(int buyer) =>
        (int)await database.ScriptEvaluateAsync(
            """
            local left = tonumber(redis.call('GET', KEYS[1]))
            if left > 0 then
              redis.call('DECR', KEYS[1])
              redis.call('RPUSH', KEYS[2], left .. ' ' .. ARGV[1])
            end
            return left
            """,
            [_left, _ledger],
            [buyer]);

    public async Task<IReadOnlyList<SaleRecord>> ReadLedgerAsync() =>
        [.. (await database.ListRangeAsync(_ledger, start: 1)).Select(line => SaleRecord.Parse(line.ToString()))];

    public async Task ClearAsync()
    {
        await database.KeyDeleteAsync(_left);
        await database.KeyDeleteAsync(_ledger);
        await database.KeyDeleteAsync(_fence);
    }
}
