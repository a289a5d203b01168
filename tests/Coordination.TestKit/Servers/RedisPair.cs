namespace Coordination.TestKit.Servers;

/// <summary>A master and its replica, and nobody who promotes the one when the other is away.</summary>
public sealed class RedisPair : RedisTopology
{
    private RedisPair()
    {
    }

    public override string ConnectionString => string.Join(',', Master.ConnectionString, Replica.ConnectionString);

    public RedisProcess Master => Masters[0];

    public RedisProcess Replica => Replicas[0];

    /// <summary>Starts the processes and waits until the replica has all that the master has.</summary>
    public static async Task<RedisPair> StartAsync()
    {
        var pair = new RedisPair();
        try
        {
            var master = await pair.StartAsync(server => ["--port", $"{server.Port}", "--repl-diskless-sync-delay", "0"]);
            var replica = await pair.StartAsync(server => ["--port", $"{server.Port}", "--replicaof", "127.0.0.1", $"{master.Port}"]);
            (pair.Masters, pair.Replicas) = ([master], [replica]);
            await SayAsync(pair.Replicas, "INFO replication", "master_link_status:up");
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }
}
