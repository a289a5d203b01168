using StackExchange.Redis;

namespace Coordination.Benchmarks.Servers;

/// <summary>A Redis Cluster of masters, each a process of its own.</summary>
internal sealed class RedisCluster : IAsyncDisposable
{
    private const int Slots = 16384;

    private readonly List<RedisServer> _servers = [];
    private readonly List<int> _busPorts = [];

    private RedisCluster()
    {
    }

    public IReadOnlyList<RedisServer> Masters => _servers;

    public string Addresses => string.Join(',', _servers.Select(server => server.Address));

    public static async Task<RedisCluster> StartAsync(int masters)
    {
        var cluster = new RedisCluster();
        try
        {
            for (var i = 0; i < masters; i++)
            {
                // Said, for by default it is the port and 10,000 more, which may be no port at all.
                var busPort = RedisServer.FreePort();
                cluster._servers.Add(await RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{busPort}"));
                cluster._busPorts.Add(busPort);
            }

            await cluster.JoinAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    private async Task JoinAsync()
    {
        var connections = await Task.WhenAll(_servers.Select(server => Connection.OpenAsync(server.Address, "operator")));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        for (var i = 0; i < connections.Length; i++)
        {
            var server = connections[i].GetServer(_servers[i].Address);
            await server.ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", i * Slots / connections.Length, ((i + 1) * Slots / connections.Length) - 1);
            await server.ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", _servers[0].Port, _busPorts[0]);
        }

        for (var i = 0; i < connections.Length; i++)
        {
            while (!await IsWholeAsync(connections[i].GetServer(_servers[i].Address)))
            {
                await Task.Delay(50, limit.Token);
            }

            await connections[i].DisposeAsync();
        }
    }

    private async Task<bool> IsWholeAsync(IServer server)
    {
        var info = (string)(await server.ExecuteAsync("CLUSTER", "INFO"))!;
        return info.Contains("cluster_state:ok", StringComparison.Ordinal) && info.Contains($"cluster_size:{_servers.Count}", StringComparison.Ordinal);
    }
}
