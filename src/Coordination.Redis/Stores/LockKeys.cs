using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// The layout of the keys, with its version. The lock's name in braces puts all keys of a lock on one slot of a Cluster; the
/// prefix keeps applications apart.
/// </summary>
internal sealed class LockKeys(string prefix)
{
    private readonly string _root = prefix + ":v1:";

    /// <summary>The channels of the nodes, to which a node's id is appended.</summary>
    public string NodeChannels => _root + "node:";

    /// <summary>A hash: the holder, its token and its entries.</summary>
    public RedisKey Lock(string name) => _root + '{' + name + "}:lock";

    /// <summary>A string: the last fencing token.</summary>
    public RedisKey Token(string name) => _root + '{' + name + "}:token";

    /// <summary>A sorted set: the waiters in the order of arrival.</summary>
    public RedisKey Waiters(string name) => _root + '{' + name + "}:waiters";

    /// <summary>A sorted set: until when each waiter counts as alive.</summary>
    public RedisKey Alive(string name) => _root + '{' + name + "}:alive";

    /// <summary>All keys of a lock, in the order in which the scripts expect them.</summary>
    public RedisKey[] All(string name) => [Lock(name), Token(name), Waiters(name), Alive(name)];
}
