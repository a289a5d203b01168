using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.Peers;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Rows;

/// <summary>What a row works with: the server, and the agents that it starts, which end with the row.</summary>
internal sealed class Bench(string address, IConnectionMultiplexer judge) : IAsyncDisposable
{
    private readonly List<Agent> _agents = [];

    public string Address => address;

    public IServer Server => judge.GetServer(address);

    /// <summary>A connection on which no library works.</summary>
    public IDatabase Judge => judge.GetDatabase();

    public async Task<Agent> StartAgentAsync(PeerKind kind, string clientName, TimeSpan lease)
    {
        var agent = await Agent.StartAsync(kind, address, clientName, lease);
        lock (_agents)
        {
            _agents.Add(agent);
        }

        return agent;
    }

    /// <summary>Waits until a lock of this library has so many waiters.</summary>
    public async Task QueuedAsync(string lockName, long count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await Judge.SortedSetLengthAsync(Peer.QueueOf(lockName)) < count)
        {
            await Task.Delay(1, limit.Token);
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_agents.Select(agent => agent.DisposeAsync().AsTask()));
}
