using Coordination.Quartz.Telemetry;
using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Interrupts and awaits the runs that are under way when all else has stopped, before the leases of their container end: when a host has stopped, or when a
/// container is disposed that no host stops. Its container makes it after the locks, and so disposes it before them.
/// </summary>
internal sealed class RunsAtEnd(ExclusiveRuns runs, TelemetryDispatcher telemetry, TimeProvider time, ILogger<RunsAtEnd> logger) : IAsyncDisposable, IDisposable
{
    /// <summary>What jobs have to come to an end that are interrupted here, however long the stop has lasted.</summary>
    public static readonly TimeSpan LastRespite = TimeSpan.FromSeconds(3);

    private readonly ILogger _logger = telemetry.Wrap(logger);
    private readonly Lock _gate = new();
    private readonly List<SchedulerShutdown> _shutdowns = [];
    private bool _hasEnded;

    /// <summary>Takes in a scheduler, whose fires begin no more once this has ended.</summary>
    public void Add(SchedulerShutdown shutdown)
    {
        lock (_gate)
        {
            _shutdowns.Add(shutdown);
        }
    }

    /// <summary>Lets a scheduler go whose container is disposed.</summary>
    public void Remove(SchedulerShutdown shutdown)
    {
        lock (_gate)
        {
            _shutdowns.Remove(shutdown);
        }
    }

    /// <param name="cancellationToken">Cancelled when the time for the stop is over; the last respite is given all the same.</param>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        var remaining = Interrupt();

        // A scheduler that waits for jobs which nobody interrupts uses up the whole time that the host gives to a stop: the token is
        // cancelled by then.
        using var respite = new CancellationTokenSource(LastRespite, time);
        foreach (var run in remaining)
        {
            await run.Completion.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await run.Completion.WaitAsync(respite.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!run.Completion.IsCompleted)
            {
                _logger.OutlivesHost(run.Context.JobDetail.Key);
            }
        }
    }

    /// <summary>Where no host has done it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_hasEnded)
        {
            // There is no time for a stop but the last respite.
            await EndAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="DisposeAsync"/>, for a container that is disposed synchronously: waits for nothing.</summary>
    public void Dispose()
    {
        if (!_hasEnded)
        {
            Interrupt();
        }
    }

    private IReadOnlyCollection<ExclusiveRun> Interrupt()
    {
        List<SchedulerShutdown> shutdowns;
        lock (_gate)
        {
            _hasEnded = true;
            shutdowns = [.. _shutdowns];
        }

        shutdowns.ForEach(shutdown => shutdown.Begin());

        var remaining = runs.UnderWay;
        foreach (var run in remaining)
        {
            _logger.InterruptedAtStop(run.Context.JobDetail.Key);
            run.Interrupt();
        }

        return remaining;
    }
}
