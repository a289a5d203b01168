using Coordination.Chaos.History;
using Coordination.Chaos.Resource;

namespace Coordination.Chaos.Workers;

/// <summary>The work of a term: uses the resource under its lock until it is told to stop, and writes down when it believes to lead no longer.</summary>
internal sealed class LedWork(WorkerOptions options, HistoryFile history, ResourceClient resource, TimeSpan pause)
{
    /// <param name="term">The term, of which the history has the grant.</param>
    /// <param name="attempt">Which of the process's attempts it is.</param>
    /// <param name="each">Called each time that the resource was used.</param>
    /// <param name="stoppingToken">Cancelled when the work has to stop.</param>
    public async Task RunAsync(ExclusiveTerm term, long attempt, Action each, CancellationToken stoppingToken)
    {
        var lockName = term.LockName;
        using var belief = new Belief(() => history.WriteEnd(EventKind.Lost, lockName, attempt, TimeSpan.Zero, term.LossReason), term.Lost);
        while (!stoppingToken.IsCancellationRequested && belief.Stands)
        {
            await resource.WriteAsync(lockName, attempt, term.FencingToken);
            each();
            await Task.Delay(pause, CancellationToken.None);
        }

        if (belief.End())
        {
            history.Write(EventKind.Releasing, lockName, attempt);
        }
        else
        {
            // What it gives up by itself the next one may have at once. That a loss is told in time shows when it does not.
            await Task.Delay(2 * options.Margin, CancellationToken.None);
        }
    }
}
