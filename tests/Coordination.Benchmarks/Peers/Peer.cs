using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

internal static class Peer
{
    /// <summary>This library and what it is compared with.</summary>
    public static readonly IReadOnlyList<PeerKind> Libraries = [PeerKind.Coordination, PeerKind.DistributedLock, PeerKind.RedLock];

    public static ILockPeer Create(PeerKind kind, IConnectionMultiplexer connection, TimeSpan lease) => kind switch
    {
        PeerKind.Raw => new RawCommands(connection, lease),
        PeerKind.Coordination => new CoordinationPeer(connection, lease, waits: true),
        PeerKind.CoordinationTry => new CoordinationPeer(connection, lease, waits: false),
        PeerKind.DistributedLock => new DistributedLockPeer(connection, lease),
        PeerKind.RedLock => new RedLockPeer(connection, lease),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "An unknown library."),
    };

    /// <summary>The key that exists while a lock is held, with its lease as time to live.</summary>
    public static RedisKey KeyOf(PeerKind kind, string name) => kind switch
    {
        PeerKind.Coordination or PeerKind.CoordinationTry => $"coordination:v1:{{{name}}}:lock",
        PeerKind.RedLock => $"redlock:{name}",
        _ => name,
    };

    /// <summary>This library's queue of a lock.</summary>
    public static RedisKey QueueOf(string name) => $"coordination:v1:{{{name}}}:waiters";
}
