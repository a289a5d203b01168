using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// The layout of the keys, with its version. The lock's name in braces puts all keys of a lock on one slot of a Cluster; the
/// prefix keeps applications apart.
/// </summary>
internal sealed partial class LockKeys(string prefix)
{
    /// <summary>How many keys a script has that may need the queue, and no more than that.</summary>
    public const int WithQueue = 3;

    private const int MostKnown = 1000;

    private readonly string _root = prefix + ":v2:";
    private readonly ConcurrentDictionary<string, RedisKey[]> _known = new(StringComparer.Ordinal);
    private int _knownCount;

    /// <summary>What all keys begin with.</summary>
    public string Root => _root;

    /// <summary>What SCAN finds the keys of all layouts with.</summary>
    public string AnyLayoutPattern => Special().Replace(prefix, "\\$0") + ":v[0-9]*:*";

    /// <summary>The channels of the nodes, to which a node's id is appended.</summary>
    public string NodeChannels => _root + "node:";

    /// <summary>A key that exists for a millisecond at most: to set it, or to delete it, shows whether a server takes writes.</summary>
    public RedisKey Nothing => _root + "nothing";

    /// <summary>A string, the record: the last token, and who holds the lock until when.</summary>
    public RedisKey Lock(string name) => _root + '{' + name + '}';

    /// <summary>A sorted set: the waiters in the order of arrival.</summary>
    public RedisKey Waiters(string name) => _root + '{' + name + "}:waiters";

    /// <summary>A sorted set: until when each waiter counts as alive.</summary>
    public RedisKey Alive(string name) => _root + '{' + name + "}:alive";

    /// <summary>A hash: the last occurrence of a series, and for those who share the lock the ones before it.</summary>
    public RedisKey Occurrence(string name, string series) => _root + '{' + name + "}:occurrence:" + series;

    /// <summary>What SCAN finds the records with. The prefix may have characters that are special there.</summary>
    public string LockPattern => Special().Replace(_root, "\\$0") + "{*}";

    /// <summary>Whether a key is a lock's, or of its queue, in another layout than this one: prefix, a colon and v, a number, and a colon.</summary>
    public bool IsOfAnotherLayout(string key)
    {
        if (!key.StartsWith(prefix + ":v", StringComparison.Ordinal) || key.StartsWith(_root, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = key.AsSpan(prefix.Length + 2);
        var digits = rest.IndexOf(':');
        return digits > 0 && !rest[..digits].ContainsAnyExceptInRange('0', '9');
    }

    /// <summary>The name of a lock, from the key of its record.</summary>
    public string NameIn(string key) => key[(_root.Length + 1)..^1];

    /// <summary>
    /// The keys of a lock that its queue and its grants are in, in the order in which the scripts expect them. Not to be changed: those of
    /// locks that are used again and again are remembered.
    /// </summary>
    public RedisKey[] All(string name)
    {
        if (!_known.TryGetValue(name, out var keys))
        {
            if (Interlocked.Increment(ref _knownCount) > MostKnown)
            {
                // There may be a name per order or tenant, and there is no end to them.
                _known.Clear();
                Volatile.Write(ref _knownCount, 0);
            }

            _known[name] = keys = [Lock(name), Waiters(name), Alive(name)];
        }

        return keys;
    }

    [GeneratedRegex(@"[\\*?\[\]^]")]
    private static partial Regex Special();
}
