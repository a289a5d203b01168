using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// The runs of a scheduler that wait for a lock: one of a trigger at most, beside those that stand by for a fire which shares its lock, and none of them in a
/// place of the thread pool.
/// </summary>
internal sealed class WaitingRuns(Func<RunPlaces?> findPlaces)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TriggerKey, (ExclusiveRun Run, bool IsEndless)> _waiting = new();

    /// <summary>
    /// Lets a run wait. Another fire of its trigger that waits already stands for both, unless this one is the last of its series: then the other
    /// gives way to it, also one that stands by for a fire that another node runs. Only one that waits without end does not give way to one that waits for a
    /// time: when that is up nobody would be left, and so both wait.
    /// </summary>
    /// <param name="run">The run.</param>
    /// <param name="isEndless">Whether it waits for as long as it takes.</param>
    /// <returns>False when another stands for it.</returns>
    public bool TryBegin(ExclusiveRun run, bool isEndless)
    {
        bool isSecond;
        (ExclusiveRun Run, bool IsEndless) earlier;
        lock (_gate)
        {
            isSecond = _waiting.TryGetValue(run.Context.Trigger.Key, out earlier);
            if (isSecond && run.Context.NextFireTimeUtc is not null)
            {
                return false;
            }

            _waiting[run.Context.Trigger.Key] = (run, isEndless);
        }

        if (isSecond && (isEndless || !earlier.IsEndless))
        {
            earlier.Run.GiveWay();
        }

        findPlaces()?.Leave();
        return true;
    }

    /// <summary>
    /// Lets a run stand by for its fire, which another node runs beside free permits. It stands for no other fire, and none for it: several fires of a
    /// trigger may be under way at a time, and each is another one to recover.
    /// </summary>
    public void StandBy() => findPlaces()?.Leave();

    /// <summary>Ends the wait of a run.</summary>
    /// <returns>Completes when the run has a place again.</returns>
    public Task EndAsync(ExclusiveRun run)
    {
        lock (_gate)
        {
            if (_waiting.GetValueOrDefault(run.Context.Trigger.Key).Run == run)
            {
                _waiting.Remove(run.Context.Trigger.Key);
            }
        }

        return findPlaces()?.ReturnAsync() ?? Task.CompletedTask;
    }
}
