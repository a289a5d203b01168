using Coordination.Hosting.Terms;

namespace Coordination.Hosting.Services;

/// <summary>
/// How the tries of one service to lead on this node end: the terms by their end, and the failures in a row, of its work and of contending. Written by the
/// service's loop, read by everybody.
/// </summary>
internal sealed class ServiceFailures(ExclusiveServiceOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TermEnd, long> _terms = [];
    private int _inARow;
    private string? _last;
    private long _lastAt;

    /// <summary>
    /// How many there are, and the type of the last. None when the last is so long ago that the service went on well since, here or on another node:
    /// one that fails for ever fails again within the longest delay.
    /// </summary>
    public (int InARow, string? Last) Now
    {
        get
        {
            lock (_gate)
            {
                return _inARow > 0 && time.GetElapsedTime(_lastAt) > options.MaxRestartDelay + options.RestartDelayResetAfter ? (0, _last) : (_inARow, _last);
            }
        }
    }

    /// <summary>How many terms have ended, by how they did.</summary>
    public IReadOnlyDictionary<TermEnd, long> Terms
    {
        get
        {
            lock (_gate)
            {
                return new Dictionary<TermEnd, long>(_terms);
            }
        }
    }

    /// <summary>Counts how a try to lead ended.</summary>
    /// <returns>How many failures in a row there are by now.</returns>
    public int Count(TermOutcome outcome, Exception? failure)
    {
        lock (_gate)
        {
            if (outcome.End != TermEnd.Refused)
            {
                _terms[outcome.End] = _terms.GetValueOrDefault(outcome.End) + 1;
            }

            if (!outcome.IsFailure)
            {
                return _inARow = 0;
            }

            _last = failure?.GetType().Name;
            _lastAt = time.GetTimestamp();
            return _inARow = outcome.Duration < options.RestartDelayResetAfter ? _inARow + 1 : 1;
        }
    }
}
