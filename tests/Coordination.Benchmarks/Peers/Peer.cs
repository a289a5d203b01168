using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

internal static class Peer
{
    private const string Prefix = "coordination";

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

    /// <summary>How long a lock is held still if nobody renews it, which the server says; null when nobody holds it.</summary>
    public static async Task<TimeSpan?> RestOfAsync(PeerKind kind, IDatabase server, string name)
    {
        if (kind is not (PeerKind.Coordination or PeerKind.CoordinationTry))
        {
            return await server.KeyTimeToLiveAsync(kind == PeerKind.RedLock ? $"redlock:{name}" : name);
        }

        // Both in one round trip, as the time to live is.
        var (reading, asking) = (server.StringGetAsync(LockText.KeyOf(Prefix, name)), server.ExecuteAsync("TIME"));
        var time = (long[])(await asking)!;
        return (string?)await reading is { } text && LockText.Parse(text).RestAt((time[0] * 1_000_000) + time[1]) is var rest && rest > TimeSpan.Zero ? rest : null;
    }

    /// <summary>This library's queue of a lock.</summary>
    public static RedisKey QueueOf(string name) => LockText.KeyOf(Prefix, name) + ":waiters";
}
