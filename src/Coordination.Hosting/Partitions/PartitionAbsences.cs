using System.Collections.Concurrent;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// The partitions that this node does not begin for a while, as it was asked when it stepped down: also where one becomes another node's share meanwhile, and then its own again. The others are told of them, so that one
/// of them begins it. Safe for use by several threads.
/// </summary>
internal sealed class PartitionAbsences(TimeProvider time)
{
    /// <summary>Of one that never comes back little stays, as somebody has to ask for each.</summary>
    private readonly ConcurrentDictionary<string, (long Since, TimeSpan Duration)> _all = new(StringComparer.Ordinal);

    public void Begin(string partition, TimeSpan duration)
    {
        if (duration > TimeSpan.Zero)
        {
            _all[partition] = (time.GetTimestamp(), duration);
        }
    }

    /// <summary>Those that have not ended.</summary>
    public IEnumerable<string> Current => from pair in _all where pair.Value.Duration > time.GetElapsedTime(pair.Value.Since) select pair.Key;

    /// <summary>Ends all of them. Who waits for the end of one waits on.</summary>
    public void Clear() => _all.Clear();

    /// <summary>Waits for the end of it, where there is one.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WaitAsync(string partition, CancellationToken cancellationToken)
    {
        while (_all.TryGetValue(partition, out var absence))
        {
            var left = absence.Duration - time.GetElapsedTime(absence.Since);
            if (left <= TimeSpan.Zero)
            {
                _all.TryRemove(KeyValuePair.Create(partition, absence));
                return;
            }

            await Task.Delay(left, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
