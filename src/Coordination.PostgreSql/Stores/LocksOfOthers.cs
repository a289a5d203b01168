using System.Collections.Concurrent;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// The locks that somebody else had when this node asked for them last. Whoever asks again and does not want to wait looks first, which locks no row: many who ask for a lock one after
/// another would else leave its row at no time to the renewal of its holder.
/// </summary>
internal sealed class LocksOfOthers
{
    private const int Most = 1000;
    private readonly ConcurrentDictionary<string, long> _until = new(StringComparer.Ordinal);

    /// <summary>Whether somebody else is likely to have the lock still.</summary>
    public bool Has(string lockName) => _until.TryGetValue(lockName, out var until) && Environment.TickCount64 < until;

    /// <summary>Somebody else has it.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="left">For how long, unless it is renewed or released.</param>
    public void Saw(string lockName, TimeSpan left)
    {
        var now = Environment.TickCount64;
        if (_until.Count >= Most)
        {
            foreach (var old in _until.Where(seen => seen.Value <= now))
            {
                _until.TryRemove(old);
            }
        }

        if (_until.Count < Most || _until.ContainsKey(lockName))
        {
            _until[lockName] = now + (long)Math.Clamp(left.TotalMilliseconds, 0, int.MaxValue);
        }
    }

    /// <summary>It has changed hands.</summary>
    public void Forget(string lockName) => _until.TryRemove(lockName, out _);
}
