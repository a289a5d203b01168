using Coordination.TestKit.Waiting;
using StackExchange.Redis;

namespace Coordination.TestKit.Servers;

/// <summary>A master, its replica and three sentinels.</summary>
public sealed class RedisSentinel : RedisTopology
{
    private const string Service = "mymaster";
    private readonly List<RedisProcess> _sentinels = [];

    private RedisSentinel()
    {
    }

    public override string ConnectionString =>
        string.Join(',', _sentinels.Select(sentinel => sentinel.ConnectionString)) + ",serviceName=" + Service;

    /// <summary>Starts the processes and waits until the sentinels know one another and the replica.</summary>
    /// <param name="downAfter">How long the master is silent before the sentinels look for its successor.</param>
    public static async Task<RedisSentinel> StartAsync(TimeSpan downAfter)
    {
        var topology = new RedisSentinel();
        try
        {
            await topology.FormAsync(downAfter);
            return topology;
        }
        catch
        {
            await topology.DisposeAsync();
            throw;
        }
    }

    private async Task FormAsync(TimeSpan downAfter)
    {
        var master = await StartAsync(server => ["--port", $"{server.Port}"]);
        var replica = await StartAsync(server => ["--port", $"{server.Port}", "--replicaof", "127.0.0.1", $"{master.Port}"]);
        (Masters, Replicas) = ([master], [replica]);
        await SayAsync(Replicas, "INFO replication", "master_link_status:up");

        while (_sentinels.Count < 3)
        {
            _sentinels.Add(await StartAsync(sentinel =>
            {
                // A sentinel is configured by a file, into which it writes what it finds out.
                var file = Path.Combine(sentinel.Folder, "sentinel.conf");
                File.WriteAllLines(file,
                [
                    $"port {sentinel.Port}",
                    $"sentinel monitor {Service} 127.0.0.1 {master.Port} 2",
                    $"sentinel down-after-milliseconds {Service} {(int)downAfter.TotalMilliseconds}",
                    $"sentinel failover-timeout {Service} 10000",
                ]);
                return [file, "--sentinel"];
            }));
        }

        foreach (var sentinel in _sentinels)
        {
            await using var connection = await ConnectionMultiplexer.SentinelConnectAsync(sentinel.ConnectionString);
            await Eventually.IsTrueAsync(
                async () =>
                {
                    var known = (await connection.GetServers()[0].SentinelMasterAsync(Service)).ToDictionary();
                    return (known["flags"], known["num-slaves"], known["num-other-sentinels"]) == ("master", "1", "2");
                },
                Patience,
                "the sentinels know one another and the replica");
        }
    }
}
