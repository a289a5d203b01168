using System.Text.RegularExpressions;
using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Checks what a scheduler begins with, before it starts: jobs that cannot be exclusive as they are set, and schedules that each node has for itself.</summary>
/// <param name="policies">How its jobs are exclusive.</param>
/// <param name="names">What they are called.</param>
/// <param name="waitsTakePlaces">Whether runs that wait take up places of the scheduler's thread pool; known once the scheduler is made.</param>
/// <param name="logger">Told of what is found.</param>
internal sealed class ScheduleCheck(ExclusivePolicies policies, SchedulerNames names, Func<bool> waitsTakePlaces, ILogger logger)
{
    /// <summary>Of how many jobs of a shared store the settings are looked at when a scheduler starts.</summary>
    private const int JobsLookedAt = 1_000;

    /// <exception cref="ArgumentException">A job cannot be exclusive as it is set, or a trigger not be told from another.</exception>
    public async Task CheckAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        var metadata = await scheduler.GetMetadata(cancellationToken).ConfigureAwait(false);
        if (waitsTakePlaces())
        {
            logger.WaitsTakePlaces(scheduler.SchedulerName, metadata.ThreadPoolTypeName, metadata.ThreadPoolSize);
        }

        // A store that outlives the process may have any number of jobs, and of types that this node does not know.
        if (metadata.JobStorePersistent)
        {
            await WarnOfRecoveryAsync(scheduler, cancellationToken).ConfigureAwait(false);
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
                foreach (var trigger in await scheduler.GetTriggersOfJob(key, cancellationToken).ConfigureAwait(false))
                {
                    policies.Validate(job, trigger);
                    if (isExclusive && oncePerFireTime)
                    {
                        CheckTrigger(key, trigger);
                    }
                }
            }
        }

        await ContinuationCheck.CheckAsync(scheduler, policies, logger, cancellationToken).ConfigureAwait(false);
    }

    private static bool IsNamedByMachine(IScheduler scheduler) => Regex.IsMatch(
        scheduler.SchedulerName, @$"(?<![\p{{L}}\p{{N}}]){Regex.Escape(Environment.MachineName)}(?![\p{{L}}\p{{N}}])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    /// <summary>Where a store keeps the triggers, each fire comes to one node, and none stands by for it.</summary>
    private async Task WarnOfRecoveryAsync(IScheduler scheduler, CancellationToken cancellationToken)
    {
        foreach (var key in (await scheduler.GetJobKeys(GroupMatcher<JobKey>.AnyGroup(), cancellationToken).ConfigureAwait(false)).Take(JobsLookedAt))
        {
            try
            {
                if (await scheduler.GetJobDetail(key, cancellationToken).ConfigureAwait(false) is { RequestsRecovery: false } job
                    && policies.Find(job, job.JobDataMap, await names.OfJobAsync(scheduler, job, cancellationToken).ConfigureAwait(false))?.OnCrash == JobCrashAction.Recover)
                {
                    logger.RecoveryByOthersDoesNothing(key, scheduler.SchedulerName);
                }
            }
            catch (Exception e) when (e is ArgumentException or TypeLoadException or FileNotFoundException or SchedulerException)
            {
                // Of a type that this node does not know, or with a name that the data of its triggers fill in: its fires say so.
            }
        }
    }

    private void CheckTrigger(JobKey job, ITrigger trigger)
    {
        names.OfTrigger(trigger);
        if (FireSlot.Find(trigger, trigger.StartTimeUtc) is null && DependsOnStart(trigger) && names.StartsWithProcess(trigger))
        {
            logger.FiresOnEachNode(job, trigger.Key, TriggerTraits.DescribeSchedule(trigger));
        }
    }

    /// <summary>Whether fire times follow from the start. Those of a kind that is not Quartz's own may.</summary>
    private static bool DependsOnStart(ITrigger trigger) => trigger is not (ICronTrigger or IDailyTimeIntervalTrigger);
}
