namespace Coordination.Stores.InMemory;

/// <summary>The last occurrence of each series of a lock of the in-memory store.</summary>
internal sealed class InMemoryOccurrences
{
    private readonly Dictionary<string, LastRun> _last = new(StringComparer.Ordinal);

    public bool IsEmpty => _last.Count == 0;

    public void Expire(TimeSpan now)
    {
        foreach (var (series, last) in _last)
        {
            if (last.ForgottenAt <= now)
            {
                _last.Remove(series);
            }
        }
    }

    /// <summary>What becomes of an occurrence if the lock is to be had, and the run that has or had it, where it is another.</summary>
    public (OccurrenceStatus Status, string? Run) Judge(Occurrence occurrence)
    {
        if (!_last.TryGetValue(occurrence.Series, out var last) || last.Micros < occurrence.Micros)
        {
            return (OccurrenceStatus.Started, null);
        }

        if (last.Micros == occurrence.Micros)
        {
            if (last.Run is null || last.Run == occurrence.Run)
            {
                return (OccurrenceStatus.Started, null);
            }

            if (!last.IsFinished && occurrence.Recover)
            {
                return (OccurrenceStatus.Recovering, last.Run);
            }
        }

        return (OccurrenceStatus.AlreadyRun, last.Run);
    }

    public void Take(Occurrence occurrence, TimeSpan now)
    {
        var forgottenAt = now + occurrence.RememberFor;
        if (_last.TryGetValue(occurrence.Series, out var last) && last.ForgottenAt > forgottenAt)
        {
            forgottenAt = last.ForgottenAt;
        }

        _last[occurrence.Series] = new LastRun(occurrence.Micros, occurrence.Run, IsFinished: false, forgottenAt);
    }

    public void End(Occurrence occurrence, bool isFinished)
    {
        if (_last.TryGetValue(occurrence.Series, out var last) && last.Micros == occurrence.Micros && last.Run == occurrence.Run)
        {
            _last[occurrence.Series] = last with { IsFinished = isFinished, Run = isFinished ? last.Run : null };
        }
    }

    /// <param name="Micros">When it was scheduled for.</param>
    /// <param name="Run">Who has or had it; null when it was given back.</param>
    /// <param name="IsFinished">Whether it was run to its end.</param>
    /// <param name="ForgottenAt">When it is forgotten.</param>
    private sealed record LastRun(long Micros, string? Run, bool IsFinished, TimeSpan ForgottenAt);
}
