using System.Diagnostics;
using Coordination.Redis.Scripts;
using Coordination.Redis.Stores;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Probing;

/// <summary>
/// Finds out whether locks under the same prefix have another layout, as those of another version of this library: neither version sees the locks of the
/// other, so both would hold a lock at a time.
/// </summary>
/// <remarks>Looks for some seconds at most, for a database may have any number of other keys, and says so where it has not seen all.</remarks>
internal sealed class LayoutCheck(LockKeys keys, int database, ILogger logger)
{
    private const int KeysPerPage = 1000;

    /// <summary>Some hundred thousand keys on a server on the same network.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <exception cref="LockStoreException">There are (final).</exception>
    public async Task RunAsync(IConnectionMultiplexer connection)
    {
        try
        {
            foreach (var server in connection.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
            {
                if (await FindAsync(server).ConfigureAwait(false) is { } other)
                {
                    throw new LockStoreException(
                        $"The key '{other}' is of another layout of locks than this version has, which begins with '{keys.Root}'. Two versions with different layouts do not see each other's locks. "
                        + $"Stop the nodes of the other version and delete its keys, or set another {RedisStoreOptions.SectionName}:KeyPrefix.");
                }
            }
        }
        catch (RedisServerException refused)
        {
            // SCAN is no right that locks need.
            Log.LayoutIsUnknown(logger, refused.Message);
        }
    }

    private async Task<string?> FindAsync(IServer server)
    {
        var cursor = "0";
        var begunAt = Stopwatch.GetTimestamp();
        var pages = 0;
        do
        {
            var reply = (RedisResult[])(await server
                .ExecuteAsync(database < 0 ? null : database, "SCAN", [cursor, "MATCH", keys.AnyLayoutPattern, "COUNT", KeysPerPage], RedisScript.OnPrimary).ConfigureAwait(false))!;
            foreach (var key in (string[])reply[1]!)
            {
                if (keys.IsOfAnotherLayout(key))
                {
                    return key;
                }
            }

            cursor = ((string?)reply[0])!;
            pages++;
        }
        while (cursor != "0" && Stopwatch.GetElapsedTime(begunAt) < Limit);

        if (cursor != "0")
        {
            Log.LayoutIsPartlyKnown(logger, server.EndPoint, pages * KeysPerPage);
        }

        return null;
    }
}
