using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// The names of the partitions: asked for at an interval, beside everything else, for it is user code that may take its time, or hang. Never twice at a time. For one caller at a time.
/// </summary>
internal sealed class PartitionList(PartitionedService service, TimeProvider time, PartitionLog log)
{
    /// <summary>How long a call may take, after which its token is cancelled and it counts as failed: twice as long as a command to a database by default.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>How long a stop waits for a call that was told, so that it may end before what it uses is disposed.</summary>
    private static readonly TimeSpan UntilToldEnds = TimeSpan.FromSeconds(1);

    private Task<(IReadOnlySet<string> Names, NamesLeftOut? LeftOut)>? _asking;
    private long _askedAt;
    private bool _isOverdue;

    /// <summary>The names, each once; null while there was no list yet.</summary>
    public IReadOnlySet<string>? Names { get; private set; }

    /// <summary>Called when the first list has come, or could not be had.</summary>
    public Action FirstCame { get; set; } = static () => { };

    /// <summary>Waits for a call that was told to end, and not for one that ignores it. Throws nothing.</summary>
    public async Task EndAsync()
    {
        if (_asking is { } asking)
        {
            await ((Task)asking).WaitAsync(UntilToldEnds, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Takes what has come, and asks when it is time to. Waits for nothing.</summary>
    /// <param name="stop">Ends the asking.</param>
    public async Task RefreshAsync(CancellationToken stop)
    {
        if (_asking is null && (Names is null || time.GetElapsedTime(_askedAt) >= service.Options.PartitionsInterval))
        {
            _askedAt = time.GetTimestamp();
            _asking = Task.Run(() => LimitAsync(stop), CancellationToken.None);
            if (Names is null)
            {
                _ = _asking.ContinueWith(_ => FirstCame(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }

        if (_asking is not { } asking || (!asking.IsCompleted && (_isOverdue || time.GetElapsedTime(_askedAt) < Limit)))
        {
            return;
        }

        try
        {
            if (!asking.IsCompleted)
            {
                // It ignores its token: what it returns in the end counts still, and it is not called again before.
                _isOverdue = true;
                throw Late();
            }

            (_asking, _isOverdue) = (null, false);
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

    private async Task<(IReadOnlySet<string> Names, NamesLeftOut? LeftOut)> LimitAsync(CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            return await AskAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw Late();
        }
    }

    private TimeoutException Late() => new($"GetPartitionsAsync of {service.Type} did not return within {Limit}.");

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
