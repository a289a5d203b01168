using System.Collections.Concurrent;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// The partitions that this node does not begin for a while, as it was asked when it stepped down, or for another node to begin them: also where one becomes another node's share meanwhile, and then its own again. The others are told of them, so that one
/// of them begins it. Safe for use by several threads.
/// </summary>
internal sealed class PartitionAbsences(TimeProvider time)
{
    /// <summary>Of one that never comes back little stays, as somebody has to ask for each.</summary>
    private readonly ConcurrentDictionary<string, Absence> _all = new(StringComparer.Ordinal);

    /// <param name="partition">Its name.</param>
    /// <param name="duration">For how long; nothing begins where it is zero.</param>
    /// <param name="isAsked">Whether somebody asked for it, so that it lasts also where there is no other node.</param>
    public void Begin(string partition, TimeSpan duration, bool isAsked)
    {
        if (duration > TimeSpan.Zero)
        {
            _all[partition] = new Absence(time.GetTimestamp(), duration, isAsked);
        }
    }

    /// <summary>Ends those that nobody asked for.</summary>
    /// <param name="which">Of which partitions.</param>
    public void EndUnasked(Predicate<string> which) => End((partition, absence) => !absence.IsAsked && which(partition));

    /// <summary>Those that have not ended.</summary>
    public IEnumerable<string> Current => from pair in _all where pair.Value.Duration > time.GetElapsedTime(pair.Value.Since) select pair.Key;

    /// <summary>Ends all of them.</summary>
    public void Clear() => End(static (_, _) => true);

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

            await absence.Ended.Task.WaitAsync(left, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void End(Func<string, Absence, bool> which)
    {
        foreach (var (partition, absence) in _all)
        {
            if (which(partition, absence) && _all.TryRemove(KeyValuePair.Create(partition, absence)))
            {
                absence.Ended.TrySetResult();
            }
        }
    }

    private sealed class Absence(long since, TimeSpan duration, bool isAsked)
    {
        public long Since => since;

        public TimeSpan Duration => duration;

        public bool IsAsked => isAsked;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
