namespace Coordination.TestKit.Servers;

/// <summary>A Redis Cluster of three masters, with a replica for each where one is asked for.</summary>
public sealed class RedisCluster : RedisTopology
{
    private const int Size = 3;
    private const int Slots = 16384;

    private RedisCluster()
    {
    }

    public override string ConnectionString => string.Join(',', Masters.Select(master => master.ConnectionString));

    /// <summary>Starts the processes and waits until each of them sees all others and serves.</summary>
    /// <param name="nodeTimeout">How long a node is silent before the others look for its successor.</param>
    /// <param name="withReplicas">Whether there are successors.</param>
    public static async Task<RedisCluster> StartAsync(TimeSpan nodeTimeout, bool withReplicas = false)
    {
        var cluster = new RedisCluster();
        try
        {
            await cluster.FormAsync(nodeTimeout, withReplicas);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Which master serves a slot, as they were shared out at the start.</summary>
    public static int MasterOf(int slot) => slot * Size / Slots;

    private async Task FormAsync(TimeSpan nodeTimeout, bool withReplicas)
    {
        Masters = await StartAsync(nodeTimeout);
        for (var i = 0; i < Size; i++)
        {
            // Each under an epoch of its own, on which they would have to agree else.
            await AskAsync(Masters[i], "CLUSTER", "SET-CONFIG-EPOCH", i + 1);
            var slots = Enumerable.Range(0, Slots).Where(slot => MasterOf(slot) == i).ToArray();
            await AskAsync(Masters[i], "CLUSTER", "ADDSLOTSRANGE", slots[0], slots[^1]);
        }

        Replicas = withReplicas ? await StartAsync(nodeTimeout) : [];
        RedisProcess[] all = [.. Masters, .. Replicas];
        foreach (var other in all.Skip(1))
        {
            var busPort = (await AskAsync(other, "CONFIG", "GET", "cluster-port"))[1];
            await AskAsync(all[0], "CLUSTER", "MEET", "127.0.0.1", other.Port, (int)busPort);
        }

        await SayAsync(all, "CLUSTER INFO", $"cluster_known_nodes:{all.Length}", $"cluster_size:{Size}");
        foreach (var (master, replica) in Masters.Zip(Replicas))
        {
            await AskAsync(replica, "CLUSTER", "REPLICATE", (string)(await AskAsync(master, "CLUSTER", "MYID"))!);
        }

        await SayAsync(Replicas, "INFO replication", "master_link_status:up");
        await SayAsync(all, "CLUSTER INFO", "cluster_state:ok");
    }

    private async Task<RedisProcess[]> StartAsync(TimeSpan nodeTimeout)
    {
        var processes = new RedisProcess[Size];
        for (var i = 0; i < Size; i++)
        {
            var busPort = FreePort.Take();
            processes[i] = await StartAsync(process =>
            [
                "--port", $"{process.Port}", "--cluster-port", $"{busPort}", "--cluster-enabled", "yes",
                "--cluster-node-timeout", $"{(int)nodeTimeout.TotalMilliseconds}",
                // A replica takes over however old its data is: the tests say what they want to lose.
                "--cluster-replica-validity-factor", "0",
            ]);
        }

        return processes;
    }
}
