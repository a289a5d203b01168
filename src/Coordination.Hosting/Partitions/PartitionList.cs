using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Partitions;

/// <summary>The names of the partitions: asked for at an interval, beside everything else, for it is user code that may take its time. For one caller at a time.</summary>
internal sealed class PartitionList(PartitionedService service, TimeProvider time, PartitionLog log)
{
    private Task<(IReadOnlySet<string> Names, NamesLeftOut? LeftOut)>? _asking;
    private long _askedAt;

    /// <summary>The names, each once; null while there was no list yet.</summary>
    public IReadOnlySet<string>? Names { get; private set; }

    /// <summary>Completes when nothing is asked for any more.</summary>
    public Task Idle => _asking ?? Task.CompletedTask;

    /// <summary>Takes what has come, and asks when it is time to. Waits for the first list alone.</summary>
    /// <param name="wait">Ends the wait.</param>
    /// <param name="stop">Ends the asking.</param>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public async Task RefreshAsync(CancellationToken wait, CancellationToken stop)
    {
        if (_asking is null && (Names is null || time.GetElapsedTime(_askedAt) >= service.Options.PartitionsInterval))
        {
            _askedAt = time.GetTimestamp();
            _asking = Task.Run(() => AskAsync(stop), CancellationToken.None);
        }

        if (_asking is not { } asking)
        {
            return;
        }

        if (Names is null)
        {
            await ((Task)asking).WaitAsync(wait).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait.ThrowIfCancellationRequested();
        }

        if (!asking.IsCompleted)
        {
            return;
        }

        _asking = null;
        try
        {
            var listed = await asking.ConfigureAwait(false);
            Names = listed.Names;
            service.Naming = new PartitionNaming(IsKnown: true, Failure: null, listed.LeftOut);
            log.ListsAgain();
            log.LeavesOut(listed.LeftOut);
        }
        catch (Exception exception)
        {
            // Whatever the user's code throws: what was known is kept.
            service.Naming = service.Naming with { Failure = exception.GetType().Name };
            log.CannotList(exception);
        }
    }

    /// <returns>The names, without those for which there is no lock: one odd name among many keeps the others from nothing.</returns>
    private async Task<(IReadOnlySet<string> Names, NamesLeftOut? LeftOut)> AskAsync(CancellationToken stop)
    {
        var listed = await service.Work.ListPartitionsAsync(stop).ConfigureAwait(false)
            ?? Numbers(service.Options.Partitions ?? throw new InvalidOperationException($"{service.Type} names no partitions. Set Partitions to their number, or override GetPartitionsAsync."));
        var names = new HashSet<string>(listed.Count, StringComparer.Ordinal);
        NamesLeftOut? leftOut = null;
        foreach (var name in listed)
        {
            if (service.Locks.FindError(name) is { } error)
            {
                leftOut = leftOut is null ? new NamesLeftOut(1, error) : leftOut with { Count = leftOut.Count + 1 };
            }
            else
            {
                names.Add(name);
            }
        }

        return (names, leftOut);
    }

    private static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(static number => number.ToString(System.Globalization.CultureInfo.InvariantCulture))];
}
