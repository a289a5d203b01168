using System.Diagnostics;
using System.Text.RegularExpressions;
using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Checks what a scheduler begins with, when the host has started: jobs that cannot be exclusive as they are set, and schedules that each node has for itself.</summary>
internal sealed class ScheduleCheck(ExclusivePolicies policies, SchedulerNames names, ILogger logger)
{
    /// <summary>The clock of the system's that says when the process began is coarse.</summary>
    private static readonly TimeSpan Coarseness = TimeSpan.FromSeconds(1);

    /// <exception cref="ArgumentException">A job cannot be exclusive as it is set, or a trigger not be told from another.</exception>
    public async Task CheckAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        // A store that outlives the process may have any number of jobs, and of types that this node does not know.
        if ((await scheduler.GetMetadata(cancellationToken).ConfigureAwait(false)).JobStorePersistent)
        {
            return;
        }

        if (IsNamedByMachine(scheduler))
        {
            logger.SchedulerNamedByMachine(scheduler.SchedulerName);
        }

        foreach (var key in await scheduler.GetJobKeys(GroupMatcher<JobKey>.AnyGroup(), cancellationToken).ConfigureAwait(false))
        {
            if (await scheduler.GetJobDetail(key, cancellationToken).ConfigureAwait(false) is { } job)
            {
                var name = await names.OfJobAsync(scheduler, job, cancellationToken).ConfigureAwait(false);
                var (isExclusive, oncePerFireTime) = policies.Validate(job, name);
                if (isExclusive && oncePerFireTime)
                {
                    await CheckTriggersAsync(scheduler, key, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private static bool IsNamedByMachine(IScheduler scheduler) => Regex.IsMatch(
        scheduler.SchedulerName, @$"(?<![\p{{L}}\p{{N}}]){Regex.Escape(Environment.MachineName)}(?![\p{{L}}\p{{N}}])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    private async Task CheckTriggersAsync(IScheduler scheduler, JobKey job, CancellationToken cancellationToken)
    {
        foreach (var trigger in await scheduler.GetTriggersOfJob(job, cancellationToken).ConfigureAwait(false))
        {
            names.OfTrigger(trigger);
            if (FireSlot.Find(trigger, trigger.StartTimeUtc) is null && DependsOnStart(trigger) && StartedWithProcess(trigger, scheduler.TimeProvider.GetUtcNow()))
            {
                logger.FiresOnEachNode(job, trigger.Key, TriggerTraits.DescribeSchedule(trigger));
            }
        }
    }

    /// <summary>Whether fire times follow from the start. Those of a kind that is not Quartz's own may.</summary>
    private static bool DependsOnStart(ITrigger trigger) => trigger is not (ICronTrigger or IDailyTimeIntervalTrigger);

    /// <summary>Whether a trigger starts "now": no trigger keeps whether it was told to, but one that starts before or after this moment of the process was given another time.</summary>
    private static bool StartedWithProcess(ITrigger trigger, DateTimeOffset now)
    {
        using var process = Process.GetCurrentProcess();
        var age = DateTime.UtcNow - process.StartTime.ToUniversalTime();
        return trigger.StartTimeUtc <= now && trigger.StartTimeUtc >= now - age - Coarseness;
    }
}
