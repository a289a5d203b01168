using System.Collections.Concurrent;
using Coordination.Quartz.Policies;
using Coordination.Stores;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Knows what the fires of a scheduler are called on every node.</summary>
internal sealed class FireTimes(string nodeId)
{
    /// <summary>Fires that failed and are retried, by trigger: a retry is the same run of the same fire.</summary>
    private readonly ConcurrentDictionary<TriggerKey, Occurrence> _retried = new();

    private volatile SchedulerMetadata? _metadata;

    /// <summary>
    /// What a job is called on every node: its key. A job that was given none has a generated one, which is another on each node unless a
    /// store keeps it; such jobs are called by their type.
    /// </summary>
    public async ValueTask<string> IdentifyAsync(IScheduler scheduler, IJobDetail job, CancellationToken cancellationToken)
    {
        // A group of its own was given, so such jobs may be called by the ids of tenants or orders.
        if (job.Key.Group != JobKey.DefaultGroup || !IsGenerated(job.Key.Name))
        {
            return job.Key.ToString();
        }

        var metadata = _metadata ??= await scheduler.GetMetadata(cancellationToken).ConfigureAwait(false);
        return metadata.JobStorePersistent ? job.Key.ToString() : job.JobType.Type.ToString();
    }

    /// <summary>The fire time that this fire has in common with those of other nodes; null for none.</summary>
    /// <param name="context">The fire.</param>
    /// <param name="policy">How it is exclusive.</param>
    /// <param name="job">What the job is called on every node.</param>
    /// <param name="retention">How long the store is to remember it.</param>
    public Occurrence? Find(IJobExecutionContext context, ExclusivePolicy policy, string job, TimeSpan retention)
    {
        if (!policy.OncePerFireTime || context.ScheduledFireTimeUtc is not { } time || IsAskedForHereAlone(context))
        {
            return null;
        }

        if (context.RetryAttempt > 0)
        {
            // Failed on another node, and handed to this one by the store that keeps the trigger.
            return _retried.TryGetValue(context.Trigger.Key, out var failed) ? failed : null;
        }

        var run = RunName.Of(nodeId, context.Scheduler.SchedulerName, context.FireInstanceId, time);
        return new Occurrence
        {
            Series = $"{job}@{Identify(context.Trigger)}",
            Time = time,
            Run = run,
            Recover = policy.OnCrash == JobCrashAction.Recover,
            RememberFor = retention,
        };
    }

    /// <summary>Takes in how a fire ended.</summary>
    public void Settle(ExclusiveRun run)
    {
        var trigger = run.Context.Trigger.Key;
        if (run.Context.RetryScheduled && run.Fire is { } fire)
        {
            _retried[trigger] = fire;
        }
        else
        {
            _retried.TryRemove(trigger, out _);
        }
    }

    /// <summary>Triggered by hand, or to run once under a key that nobody gave; or again, after a crash, by a store that keeps jobs.</summary>
    private static bool IsAskedForHereAlone(IJobExecutionContext context) =>
        context.Recovering
        || context.Trigger.JobDataMap.ContainsKey(SchedulerConstants.ManualTrigger)
        || (context.Trigger is ISimpleTrigger { RepeatCount: 0 } && IsGenerated(context.Trigger.Key.Name));

    /// <summary>A trigger that was given no key has a generated one, which is another on each node; it is called by its schedule.</summary>
    private static string Identify(ITrigger trigger) => !IsGenerated(trigger.Key.Name)
        ? trigger.Key.ToString()
        : trigger switch
        {
            ICronTrigger cron => $"cron {cron.CronExpressionString} {cron.TimeZone.Id}",
            ISimpleTrigger simple => $"every {simple.RepeatInterval:c}",
            ICalendarIntervalTrigger calendar => $"every {calendar.RepeatInterval} {calendar.RepeatIntervalUnit}",
            IDailyTimeIntervalTrigger daily => $"daily {daily.StartTimeOfDay} {daily.EndTimeOfDay} every {daily.RepeatInterval} {daily.RepeatIntervalUnit}",
            IRecurrenceTrigger recurrence => $"{recurrence.RecurrenceRule} {recurrence.TimeZone.Id}",
            _ => trigger.GetType().ToString(),
        };

    /// <summary>Whether Quartz generated a name, as it does where none is given.</summary>
    private static bool IsGenerated(string name) => Guid.TryParseExact(name, "D", out _);
}
