using System.Collections.Concurrent;
using Coordination.Stores;
using Coordination.Telemetry;

namespace Coordination.Hosting.Leadership;

/// <summary>
/// Which parts of the store the services of a node ask who leads: as long as the node's calls fail, none that did not reply to the last such question. An
/// outage costs one question of each shard then, and not one of each service in each of its lease durations.
/// </summary>
/// <remarks>A store that grants no lock for another reason, such as a lack of memory, replies to questions and is asked on. Safe for use by several threads.</remarks>
internal sealed class LeaderQuestions(ILockStore store, StoreCondition condition)
{
    private readonly ConcurrentDictionary<int, bool> _away = [];

    public bool MayBeAsked(string lockName) => _away.IsEmpty || condition.Trouble is null || !_away.ContainsKey(store.ShardOf(lockName));

    /// <summary>A question got its reply.</summary>
    public void Replied(string lockName)
    {
        if (!_away.IsEmpty)
        {
            _away.TryRemove(store.ShardOf(lockName), out _);
        }
    }

    /// <summary>A question got none.</summary>
    public void Failed(string lockName) => _away[store.ShardOf(lockName)] = true;
}
