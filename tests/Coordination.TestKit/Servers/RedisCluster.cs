namespace Coordination.TestKit.Servers;

/// <summary>A Redis Cluster of three masters, with a replica for each where one is asked for.</summary>
public sealed class RedisCluster : RedisTopology
{
    private const int Size = 3;
    private const int Slots = 16384;

    private readonly Dictionary<int, RedisProcess> _moved = [];

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

    /// <summary>Moves a slot to the next master, as an operator does who shares the slots out anew: one key after another, while clients go on.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="pause">From each key to the next, and before the first and after the last.</param>
    public async Task MoveSlotAsync(int slot, TimeSpan pause)
    {
        var from = _moved.GetValueOrDefault(slot, Masters[MasterOf(slot)]);
        var to = Masters[(Masters.ToList().IndexOf(from) + 1) % Size];
        var (fromId, toId) = ((string)(await AskAsync(from, "CLUSTER", "MYID"))!, (string)(await AskAsync(to, "CLUSTER", "MYID"))!);
        await AskAsync(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
        await AskAsync(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
        // For as long as the operator of this move takes.
        await Task.Delay(pause);
        while ((string[]?)await AskAsync(from, "CLUSTER", "GETKEYSINSLOT", slot, 1) is [var key])
        {
            // What has expired meanwhile is no error.
            await AskAsync(from, "MIGRATE", "127.0.0.1", to.Port, key, 0, (int)Patience.TotalMilliseconds);
            // For as long as the operator of this move takes.
            await Task.Delay(pause);
        }

        // The new master first: the old one would send clients to it that it sends back.
        foreach (var master in Masters.OrderBy(master => master != to))
        {
            await AskAsync(master, "CLUSTER", "SETSLOT", slot, "NODE", toId);
        }

        _moved[slot] = to;
    }

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
