using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Has what a scheduler begins with checked once: by the host that starts it, which does not start with a job that cannot be exclusive as it is set; or, where it
/// is added or built again while the host runs, when it starts, which nothing can refuse any more.
/// </summary>
/// <param name="check">The check.</param>
/// <param name="isCheckedByHost">Whether the first scheduler of this name is the host's to check.</param>
/// <param name="logger">Told of what keeps a job from being exclusive.</param>
internal sealed class StartCheck(ScheduleCheck check, bool isCheckedByHost, ILogger logger) : ISchedulerListener
{
    /// <summary>The scheduler that was checked last: one that is paused starts several times.</summary>
    private volatile IScheduler? _checked;

    /// <inheritdoc cref="ScheduleCheck.CheckAsync"/>
    public Task CheckAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        _checked = scheduler;
        return check.CheckAsync(scheduler, cancellationToken);
    }

    public async ValueTask SchedulerStarted(IScheduler scheduler, CancellationToken cancellationToken = default)
    {
        if (ReferenceEquals(scheduler, _checked) || (_checked is null && isCheckedByHost))
        {
            return;
        }

        try
        {
            await CheckAsync(scheduler, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException e)
        {
            // Its fires fail, and say the same.
            logger.NotExclusiveAsSet(scheduler.SchedulerName, e.Message);
        }
    }
}
