using System.Globalization;
using System.Net;
using Coordination.Redis.Errors;
using Coordination.Redis.Scripts;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Goes through the keys of all primaries with SCAN, which holds up no server, a page at a time.</summary>
internal sealed class LockScan(LockKeys keys, int databaseNumber)
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
            .ExecuteAsync(databaseNumber < 0 ? null : databaseNumber, "SCAN", [cursor, "MATCH", keys.LockPattern, "COUNT", KeysPerPage], RedisScript.OnPrimary)
            .ConfigureAwait(false))!;
        var names = await HeldAsync(connection, primaries[index], (string[])reply[1]!).ConfigureAwait(false);
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

    /// <summary>The record of a lock stays when it is released: those of the page are read, all at once.</summary>
    private async Task<IReadOnlyList<string>> HeldAsync(IConnectionMultiplexer connection, EndPoint primary, string[] records)
    {
        var database = connection.GetDatabase(databaseNumber);
        var reading = Array.ConvertAll(records, key => ReadAsync(database, key));
        var time = (string[])(await connection.GetServer(primary).ExecuteAsync(databaseNumber < 0 ? null : databaseNumber, "TIME", [], RedisScript.OnPrimary).ConfigureAwait(false))!;
        var now = time[0].PadLeft(10, '0') + time[1].PadLeft(6, '0');
        var texts = await Task.WhenAll(reading).ConfigureAwait(false);
        var held = await Task.WhenAll(records.Select((key, i) => texts[i] is { } text
            ? Task.FromResult(LockRecord.TryParse(now + text, out var record) && record.Describe() is not null)
            : IsSharedAsync(database, keys.NameIn(key)))).ConfigureAwait(false);
        return [.. records.Where((_, i) => held[i]).Select(keys.NameIn)];
    }

    /// <returns>Null where it is gone meanwhile, or is no record.</returns>
    private static async Task<string?> ReadAsync(IDatabase database, string key)
    {
        try
        {
            return await database.StringGetAsync(key, RedisScript.OnPrimary).ConfigureAwait(false);
        }
        catch (RedisServerException foreign) when (RedisErrorClassifier.IsOfAnotherType(foreign))
        {
            // A lock that several may hold, or something else wrote the key.
            return null;
        }
    }

    /// <summary>Whether it is a lock that several may hold, and anybody does.</summary>
    private async Task<bool> IsSharedAsync(IDatabase database, string lockName)
    {
        try
        {
            var reply = await RedisScript.ShareInspect.RunAsync(database, keys.All(lockName), [0], ConfigureAwaitOptions.None, CancellationToken.None).ConfigureAwait(false);
            return ShareReply.InspectionIn(lockName, reply) is { Holder: not null };
        }
        catch (RedisServerException moving) when (RedisErrorClassifier.IsOfMove(moving))
        {
            // A lock whose slot is being moved is on a later page, or on this one when it is asked for again.
            return false;
        }
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
