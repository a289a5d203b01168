using System.Globalization;
using System.Net;
using Coordination.Redis.Scripts;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Goes through the keys of all primaries with SCAN, which holds up no server, a page at a time.</summary>
internal sealed class LockScan(LockKeys keys, int database)
{
    /// <summary>How many keys a server looks at for a page. Most of a page's time is the round trip from here on.</summary>
    private const int KeysPerPage = 1000;

    /// <param name="connection">The server or servers.</param>
    /// <param name="next">The number of the primary and its cursor, as the page before said; null at the beginning.</param>
    public async Task<LockPage> ReadAsync(IConnectionMultiplexer connection, string? next)
    {
        var primaries = Primaries(connection);
        var (index, cursor) = Parse(next);
        if (index >= primaries.Count)
        {
            // There were more when the page before was read.
            return new LockPage { LockNames = [] };
        }

        var reply = (RedisResult[])(await connection.GetServer(primaries[index])
            .ExecuteAsync(database < 0 ? null : database, "SCAN", [cursor, "MATCH", keys.LockPattern, "COUNT", KeysPerPage], RedisScript.OnPrimary)
            .ConfigureAwait(false))!;
        var names = Array.ConvertAll((string[])reply[1]!, keys.NameIn);
        cursor = (string)reply[0]!;
        if (cursor == "0")
        {
            index++;
        }

        return new LockPage
        {
            LockNames = names,
            Next = index < primaries.Count ? string.Create(CultureInfo.InvariantCulture, $"{index}/{cursor}") : null,
        };
    }

    /// <summary>In an order that stays the same from page to page. One that is away is among them: its locks must not go unnoticed.</summary>
    private static List<EndPoint> Primaries(IConnectionMultiplexer connection)
    {
        var servers = connection.GetServers();
        var map = servers.FirstOrDefault(server => server.IsConnected && server.ServerType == ServerType.Cluster)?.ClusterConfiguration;
        var primaries = map is null
            ? servers.Where(server => !server.IsReplica && server.IsConnected).DefaultIfEmpty(servers[0]).Select(server => server.EndPoint)
            : map.Nodes.Where(node => !node.IsReplica && node.Slots.Count > 0 && node.EndPoint is not null).Select(node => node.EndPoint!);
        return [.. primaries.OrderBy(endpoint => endpoint.ToString(), StringComparer.Ordinal)];
    }

    private static (int Index, string Cursor) Parse(string? next) =>
        next?.Split('/') is [var index, var cursor] ? (int.Parse(index, CultureInfo.InvariantCulture), cursor) : (0, "0");
}
