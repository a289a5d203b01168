using StackExchange.Redis;

namespace Coordination.TestKit.Servers;

/// <summary>What a test's prefix holds on the server, or on the masters of a Cluster.</summary>
public static class Keyspace
{
    /// <summary>Deletes everything, tokens included.</summary>
    public static async Task LoseAsync(IConnectionMultiplexer connection, string prefix)
    {
        // One by one: on a Cluster they are on several slots.
        await Task.WhenAll((await KeysAsync(connection, prefix + ":*")).Select(key => connection.GetDatabase().KeyDeleteAsync(key)));
    }

    /// <summary>
    /// The record of a free lock, with the last token, is remembered for a while, and so are the last occurrences. Nothing else is left of a lock.
    /// </summary>
    public static async Task AssertOnlyTokenLeftAsync(IConnectionMultiplexer connection, string prefix, string lockName)
    {
        var record = LockText.KeyOf(prefix, lockName);
        var occurrence = record + ":occurrence:";
        Assert.All(
            await KeysAsync(connection, record + "*"),
            key => Assert.True(key == record || key.ToString().StartsWith(occurrence, StringComparison.Ordinal), $"{key} is left."));
        if (await connection.GetDatabase().KeyTypeAsync(record) == RedisType.Hash)
        {
            // A lock that several could hold. Who held it until the lease ran out stands in it until somebody finds no room.
            Assert.DoesNotContain(await connection.GetDatabase().HashKeysAsync(record), field => field.ToString().StartsWith('?'));
            Assert.InRange((await connection.GetDatabase().KeyTimeToLiveAsync(record))!.Value, TimeSpan.FromHours(44), TimeSpan.FromHours(48));
        }
        else if ((string?)await connection.GetDatabase().StringGetAsync(record) is { } text)
        {
            Assert.Equal('F', LockText.Parse(text).State);
            Assert.InRange((await connection.GetDatabase().KeyTimeToLiveAsync(record))!.Value, TimeSpan.FromHours(44), TimeSpan.FromHours(48));
        }
    }

    private static async Task<RedisKey[]> KeysAsync(IConnectionMultiplexer connection, string pattern)
    {
        var keys = new List<RedisKey>();
        foreach (var master in connection.GetServers().Where(server => !server.IsReplica))
        {
            keys.AddRange(await master.KeysAsync(pattern: pattern).ToArrayAsync(TestContext.Current.CancellationToken));
        }

        return [.. keys];
    }
}
