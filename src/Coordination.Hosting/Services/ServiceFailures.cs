namespace Coordination.Hosting.Services;

/// <summary>
/// The failures in a row of one service on this node: of its work, and of contending. Written by what runs the service, read by everybody.
/// A row is over when something goes well here, and when nothing fails here for longer than the memory, other than work that then fails itself: however
/// long that ran, it did not go well.
/// </summary>
/// <param name="memory">How long after the last failure the service counts as well again: by then one that fails for ever has failed once more, or works still.</param>
/// <param name="time">The clock.</param>
internal sealed class ServiceFailures(TimeSpan memory, TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _inARow;
    private string? _last;
    private long _lastAt;

    /// <summary>
    /// How many there are, and the type of the last. None when the last is so long ago that the service went on well since, here or on another node.
    /// </summary>
    public (int InARow, string? Last) Now
    {
        get
        {
            lock (_gate)
            {
                return _inARow > 0 && time.GetElapsedTime(_lastAt) > memory ? (0, _last) : (_inARow, _last);
            }
        }
    }

    /// <summary>It went well.</summary>
    public void Succeeded()
    {
        lock (_gate)
        {
            _inARow = 0;
        }
    }

    /// <summary>It failed.</summary>
    /// <param name="failure">What was thrown; null for nothing.</param>
    /// <param name="ran">How long the work that failed had run; zero for what is not the work.</param>
    /// <returns>How many failures in a row there are by now.</returns>
    public int Failed(Exception? failure, TimeSpan ran)
    {
        lock (_gate)
        {
            _inARow = _inARow > 0 && time.GetElapsedTime(_lastAt) - ran <= memory ? _inARow + 1 : 1;
            _last = failure?.GetType().Name;
            _lastAt = time.GetTimestamp();
            return _inARow;
        }
    }
}
