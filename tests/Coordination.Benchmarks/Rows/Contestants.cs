using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Peers.Postgres;
using Coordination.Benchmarks.Servers;

namespace Coordination.Benchmarks.Rows;

/// <summary>All libraries in this process, on one connection.</summary>
internal sealed class Contestants : IAsyncDisposable
{
    private static readonly PeerKind[] Kinds = [.. Enum.GetValues<PeerKind>().Where(kind => !PostgresPeer.Has(kind))];
    private readonly IAsyncDisposable _connection;
    private readonly Dictionary<PeerKind, ILockPeer> _peers;

    private Contestants(IAsyncDisposable connection, Dictionary<PeerKind, ILockPeer> peers)
    {
        _connection = connection;
        _peers = peers;
    }

    public static IReadOnlyList<PeerKind> All => Kinds;

    public ILockPeer this[PeerKind kind] => _peers[kind];

    public static async Task<Contestants> ConnectAsync(Bench bench, ConnectionThreads threads = ConnectionThreads.Dedicated)
    {
        var connection = await Connection.OpenAsync(bench.Address, "contestants", threads);
        return new Contestants(connection, Kinds.ToDictionary(kind => kind, kind => Peer.Create(kind, connection, TimeSpan.FromSeconds(30))));
    }

    /// <summary>Acquires and releases one lock, again and again.</summary>
    public async Task CycleAsync(PeerKind kind, int count, string name)
    {
        var peer = _peers[kind];
        for (var i = 0; i < count; i++)
        {
            await using var held = await peer.AcquireAsync(name);
        }
    }

    /// <summary>As <see cref="CycleAsync(PeerKind, int, string)"/>, of what is wanted of a lock that several may hold.</summary>
    public async Task CycleAsync(Entrant entrant, int count, string name)
    {
        var peer = _peers[entrant.Library];
        for (var i = 0; i < count; i++)
        {
            await using var held = await peer.AcquireAsync(name, entrant.Share);
        }
    }

    /// <summary>Acquires and releases one lock, again and again, until a moment.</summary>
    /// <returns>How often.</returns>
    public async Task<long> CycleUntilAsync(PeerKind kind, long until, string name)
    {
        var peer = _peers[kind];
        var count = 0L;
        for (; Stopwatch.GetTimestamp() < until; count++)
        {
            await using var held = await peer.AcquireAsync(name);
        }

        return count;
    }

    /// <summary>As <see cref="CycleUntilAsync(PeerKind, long, string)"/>, of what is wanted of a lock that several may hold.</summary>
    public async Task<long> CycleUntilAsync(Entrant entrant, long until, string name)
    {
        var peer = _peers[entrant.Library];
        var count = 0L;
        for (; Stopwatch.GetTimestamp() < until; count++)
        {
            await using var held = await peer.AcquireAsync(name, entrant.Share);
        }

        return count;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers.Values)
        {
            await peer.DisposeAsync();
        }

        await _connection.DisposeAsync();
    }
}
