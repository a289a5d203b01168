using Coordination.Redis.Connections;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// Which locks one script may have together: on a Cluster those of one slot, and elsewhere all; and which of them one shard serves, which may be away alone. A
/// Cluster is known as one when the connection stands, or at the latest when a script is refused; from then on it stays known.
/// </summary>
internal sealed class LockPartitions(RedisConnection connection)
{
    /// <summary>In milliseconds.</summary>
    private const int LookInterval = 250;

    private volatile bool _areSlots;
    private volatile IConnectionMultiplexer? _looked;
    private long _looksAgainAt;

    /// <summary>Whether the server is known for a Cluster.</summary>
    public bool AreSlots => AreKnownAsSlots();

    /// <summary>On a Cluster the slot; elsewhere, and until a Cluster is known as one, one partition for all.</summary>
    public int Of(string lockName) => AreKnownAsSlots() ? ClusterSlot.Of(lockName) : 0;

    /// <summary>
    /// On a Cluster the last slot of the shard that serves the lock, which stays when a replica takes its primary's place; the lock's own slot where
    /// the client knows no map of the Cluster. Elsewhere, and until a Cluster is known as one, one shard for all.
    /// </summary>
    public int ShardOf(string lockName)
    {
        var slot = Of(lockName);
        return MapOfCluster()?.GetBySlot(slot)?.Slots is { Count: > 0 } slots ? slots.Max(range => range.To) : slot;
    }

    /// <summary>Whether all requests are for locks of one partition, as far as is known by now.</summary>
    public bool IsOne(IReadOnlyList<RenewalRequest> requests)
    {
        if (requests.Count < 2 || !AreKnownAsSlots())
        {
            return true;
        }

        var first = ClusterSlot.Of(requests[0].LockName);
        return requests.Skip(1).All(request => ClusterSlot.Of(request.LockName) == first);
    }

    /// <summary>Notes that the server told slots apart, though the client does not know it for a Cluster.</summary>
    public void LearnOfSlots() => _areSlots = true;

    /// <summary>As a server told it that is connected, if there is one: that of another may be old.</summary>
    private ClusterConfiguration? MapOfCluster() =>
        AreKnownAsSlots() ? connection.Established?.GetServers().OrderByDescending(server => server.IsConnected).Select(server => server.ClusterConfiguration).FirstOrDefault(map => map is not null) : null;

    private bool AreKnownAsSlots()
    {
        // The client is asked now and then: each call of the store needs to know.
        if (!_areSlots && connection.Established is { } established && (established != _looked || Environment.TickCount64 >= Volatile.Read(ref _looksAgainAt)))
        {
            if (established.GetServers().Any(server => server.ServerType == ServerType.Cluster))
            {
                // Only ever set: it may have been learned meanwhile.
                LearnOfSlots();
            }

            Volatile.Write(ref _looksAgainAt, Environment.TickCount64 + LookInterval);
            _looked = established;
        }

        return _areSlots;
    }
}
