using System.Runtime.ExceptionServices;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Has what a scheduler begins with checked once, before the first of its triggers can fire and be gone. A host does not start with a job that cannot be
/// exclusive as it is set; where a scheduler is added or built again while the host runs nothing can refuse it any more, and the log says so.
/// </summary>
/// <param name="check">The check.</param>
/// <param name="isOfApplication">Whether the scheduler is one that the host may ask about.</param>
/// <param name="logger">Told of what keeps a job from being exclusive.</param>
internal sealed class StartCheck(ScheduleCheck check, bool isOfApplication, ILogger logger) : ISchedulerListener
{
    /// <summary>The scheduler that was checked last, and what was found: one that is paused starts several times.</summary>
    private volatile Tuple<IScheduler, ExceptionDispatchInfo?>? _checked;

    /// <summary>Says what the check found, which is made now for a scheduler that has not started yet.</summary>
    /// <inheritdoc cref="ScheduleCheck.CheckAsync"/>
    public async Task CheckAsync(IScheduler scheduler, CancellationToken cancellationToken) =>
        (await FindFaultAsync(scheduler, cancellationToken).ConfigureAwait(false))?.Throw();

    public async ValueTask SchedulerStarting(IScheduler scheduler, CancellationToken cancellationToken = default)
    {
        if (!ReferenceEquals(scheduler, _checked?.Item1)
            && await FindFaultAsync(scheduler, cancellationToken).ConfigureAwait(false) is { SourceException: var fault }
            && !isOfApplication)
        {
            // Its fires fail, and say the same.
            logger.NotExclusiveAsSet(scheduler.SchedulerName, fault.Message);
        }
    }

    private async Task<ExceptionDispatchInfo?> FindFaultAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        if (_checked is { } earlier && ReferenceEquals(scheduler, earlier.Item1))
        {
            return earlier.Item2;
        }

        ExceptionDispatchInfo? fault = null;
        try
        {
            await check.CheckAsync(scheduler, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException e)
        {
            // A job that cannot be exclusive as it is set.
            fault = ExceptionDispatchInfo.Capture(e);
        }

        _checked = Tuple.Create(scheduler, fault);
        return fault;
    }
}
