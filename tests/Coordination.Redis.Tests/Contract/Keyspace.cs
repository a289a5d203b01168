using StackExchange.Redis;

namespace Coordination.Redis.Tests.Contract;

/// <summary>What a test's prefix holds on the server.</summary>
internal static class Keyspace
{
    /// <summary>Deletes everything, tokens included.</summary>
    public static async Task LoseAsync(string connectionString, string prefix)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(connectionString);
        await connection.GetDatabase().KeyDeleteAsync(await KeysAsync(connection, prefix + ":*"));
    }

    public static async Task AssertOnlyTokenLeftAsync(string connectionString, string prefix, string lockName)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(connectionString);
        RedisKey token = $"{prefix}:v1:{{{lockName}}}:token";
        Assert.All(await KeysAsync(connection, $"{prefix}:v1:{{{lockName}}}:*"), key => Assert.Equal(token, key));
    }

    private static async Task<RedisKey[]> KeysAsync(ConnectionMultiplexer connection, string pattern) =>
        await connection.GetServers()[0].KeysAsync(pattern: pattern).ToArrayAsync(TestContext.Current.CancellationToken);
}
