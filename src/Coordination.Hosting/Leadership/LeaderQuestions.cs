using System.Collections.Concurrent;
using Coordination.Hosting.Stores;
using Coordination.Stores;
using Coordination.Telemetry;

namespace Coordination.Hosting.Leadership;

/// <summary>
/// Asks the store who holds the locks of a node's services, and says which questions are worth it that nobody waits for. As long as the node's calls fail,
/// none to a part of the store that did not reply to the last one: an outage costs one question of each shard. Where it replies and grants nothing, such as a
/// server to which this node may not write, one for all locks in a second at first, and in half a minute at last.
/// </summary>
/// <remarks>Safe for use by several threads.</remarks>
internal sealed class LeaderQuestions(ILockStore store, ILockStoreAdministration administration, ILockInspector inspector, StoreCondition condition, TimeProvider time)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<int, bool> _away = [];
    private TimeSpan _pause;
    private long _askedAt;
    private long? _lookedAt;

    /// <summary>Asks leaders to step down.</summary>
    public ILockInspector Inspector => inspector;

    /// <summary>Whether the store is to be asked now, when nobody waits for the reply. Who is told so asks.</summary>
    public bool MayAsk(string lockName)
    {
        lock (_gate)
        {
            if (condition.Trouble is null)
            {
                _pause = TimeSpan.Zero;
                return true;
            }

            if (_away.ContainsKey(store.ShardOf(lockName)) || (_pause > TimeSpan.Zero && time.GetElapsedTime(_askedAt) < _pause))
            {
                return false;
            }

            _askedAt = time.GetTimestamp();
            _pause = _pause == TimeSpan.Zero ? ShortestPause : 2 * _pause < LongestPause ? 2 * _pause : LongestPause;
            return true;
        }
    }

    /// <summary>
    /// Whether a lock may be asked for now whose leader is known and may be the same still: one of all locks of this node in a second. Who is told so looks.
    /// </summary>
    public bool MayLook()
    {
        lock (_gate)
        {
            if (_lookedAt is { } at && time.GetElapsedTime(at) < ShortestPause)
            {
                return false;
            }

            _lookedAt = time.GetTimestamp();
            return true;
        }
    }

    /// <summary>Asks, and waits for the reply no longer than it is worth.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="isShared">Whether several may hold it, as far as is known: then all of them are asked for at once, and else only where one of several is found.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Who holds the lock; empty for nobody.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store could not reply.</exception>
    /// <exception cref="NotSupportedException">The store has no administration.</exception>
    public async Task<IReadOnlyList<LockHolder>> AskAsync(string lockName, bool isShared, CancellationToken cancellationToken)
    {
        IReadOnlyList<LockHolder> holders = [];
        try
        {
            await StoreTimeLimit.ApplyAsync(
                StoreTimeLimit.Default,
                async limited => holders = await FindHoldersAsync(lockName, isShared, limited).ConfigureAwait(false),
                time,
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not NotSupportedException && !cancellationToken.IsCancellationRequested)
        {
            _away[store.ShardOf(lockName)] = true;
            throw;
        }

        if (!_away.IsEmpty)
        {
            _away.TryRemove(store.ShardOf(lockName), out _);
        }

        return holders;
    }

    private async Task<IReadOnlyList<LockHolder>> FindHoldersAsync(string lockName, bool isShared, CancellationToken cancellationToken)
    {
        if (!isShared && await administration.GetHolderAsync(lockName, cancellationToken).ConfigureAwait(false) is var holder && holder?.Share is null)
        {
            return holder is null ? [] : [holder];
        }

        return (await administration.InspectAsync(lockName, maxWaiters: 0, cancellationToken).ConfigureAwait(false)).Holders;
    }
}
