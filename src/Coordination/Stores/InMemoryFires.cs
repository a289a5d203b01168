namespace Coordination.Stores;

/// <summary>The last fire of each series of a lock of the in-memory store.</summary>
internal sealed class InMemoryFires
{
    private readonly Dictionary<string, Fire> _last = new(StringComparer.Ordinal);

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

    /// <summary>What becomes of a fire if the lock is to be had, and the run that has or had it, where it is another.</summary>
    public (FireStatus Status, string? Run) Judge(ScheduledFire fire)
    {
        if (!_last.TryGetValue(fire.Series, out var last) || last.Micros < fire.Micros)
        {
            return (FireStatus.Taken, null);
        }

        if (last.Micros == fire.Micros)
        {
            if (last.Run is null || last.Run == fire.Run)
            {
                return (FireStatus.Taken, null);
            }

            if (!last.IsFinished && fire.MakeUp)
            {
                return (FireStatus.MadeUp, last.Run);
            }
        }

        return (FireStatus.AlreadyRun, last.Run);
    }

    public void Take(ScheduledFire fire, TimeSpan now)
    {
        var forgottenAt = now + fire.RememberFor;
        if (_last.TryGetValue(fire.Series, out var last) && last.ForgottenAt > forgottenAt)
        {
            forgottenAt = last.ForgottenAt;
        }

        _last[fire.Series] = new Fire(fire.Micros, fire.Run, IsFinished: false, forgottenAt);
    }

    public void End(ScheduledFire fire, bool isFinished)
    {
        if (_last.TryGetValue(fire.Series, out var last) && last.Micros == fire.Micros && last.Run == fire.Run)
        {
            _last[fire.Series] = last with { IsFinished = isFinished, Run = isFinished ? last.Run : null };
        }
    }

    /// <param name="Micros">When it was scheduled for.</param>
    /// <param name="Run">Who has or had it; null when it was given back.</param>
    /// <param name="IsFinished">Whether it was run to its end.</param>
    /// <param name="ForgottenAt">When it is forgotten.</param>
    private sealed record Fire(long Micros, string? Run, bool IsFinished, TimeSpan ForgottenAt);
}
