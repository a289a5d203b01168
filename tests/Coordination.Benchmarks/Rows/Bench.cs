using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Servers;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Rows;

/// <summary>What a row works with: the server, and the agents that it starts, which end with the row.</summary>
internal sealed class Bench(string address, IConnectionMultiplexer judge) : IAsyncDisposable
{
    private readonly List<Agent> _agents = [];
    private PostgresServer? _postgres;

    public string Address => address;

    public IServer Server => judge.GetServer(address);

    /// <summary>A connection on which no library works.</summary>
    public IDatabase Judge => judge.GetDatabase();

    public async Task<Agent> StartAgentAsync(PeerKind kind, string clientName, TimeSpan lease) =>
        Keep(await Agent.StartAsync(kind, address, clientName, lease));

    /// <summary>A PostgreSQL server of the row's own.</summary>
    public async Task<PostgresServer> PostgresAsync() => _postgres ??= await PostgresServer.StartAsync();

    /// <summary>As <see cref="StartAgentAsync"/>, on that server.</summary>
    public async Task<Agent> StartPostgresAgentAsync(PeerKind kind, string clientName, TimeSpan lease) =>
        Keep(await Agent.StartAsync(kind, await (await PostgresAsync()).AddressOfAsync(clientName), clientName, lease));

    /// <summary>Waits until a lock of this library has so many waiters.</summary>
    public async Task QueuedAsync(string lockName, long count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await Judge.SortedSetLengthAsync(Peer.QueueOf(lockName)) < count)
        {
            await Task.Delay(1, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_agents.Select(agent => agent.DisposeAsync().AsTask()));
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    private Agent Keep(Agent agent)
    {
        lock (_agents)
        {
            _agents.Add(agent);
        }

        return agent;
    }
}
