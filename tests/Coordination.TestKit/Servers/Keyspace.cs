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

    /// <summary>The last token, and the last occurrences, are remembered for a while, and nothing else is left of a lock.</summary>
    public static async Task AssertOnlyTokenLeftAsync(IConnectionMultiplexer connection, string prefix, string lockName)
    {
        var token = $"{prefix}:v1:{{{lockName}}}:token";
        var occurrence = $"{prefix}:v1:{{{lockName}}}:occurrence:";
        Assert.All(
            await KeysAsync(connection, $"{prefix}:v1:{{{lockName}}}:*"),
            key => Assert.True(key == token || key.ToString().StartsWith(occurrence, StringComparison.Ordinal), $"{key} is left."));
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
