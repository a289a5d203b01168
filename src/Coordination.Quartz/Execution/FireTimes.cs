using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Coordination.Stores;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Knows what the fires of a scheduler are called on every node.</summary>
internal sealed class FireTimes(string nodeId, SchedulerNames names)
{
    private static readonly TimeSpan LongestMemory = TimeSpan.FromDays(366);

    private readonly RetriedFires _retried = new();

    /// <summary>What a job is called on every node.</summary>
    public ValueTask<JobName> IdentifyAsync(IScheduler scheduler, IJobDetail job, CancellationToken cancellationToken) =>
        names.OfJobAsync(scheduler, job, cancellationToken);

    /// <summary>The fire time that this fire has in common with those of other nodes; null for none.</summary>
    /// <param name="context">The fire.</param>
    /// <param name="policy">How it is exclusive.</param>
    /// <param name="job">What the job is called on every node.</param>
    /// <param name="retention">How long the store is to remember it.</param>
    /// <exception cref="ArgumentException">The trigger cannot be told from another.</exception>
    public Occurrence? Find(IJobExecutionContext context, ExclusivePolicy policy, string job, TimeSpan retention)
    {
        if (!policy.OncePerFireTime || context.ScheduledFireTimeUtc is not { } time || IsAskedForHereAlone(context))
        {
            return null;
        }

        if (context.RetryAttempt > 0)
        {
            // Failed on another node, and handed to this one by the store that keeps the trigger.
            return _retried.TryGet(context.Trigger.Key, out var failed) ? failed : null;
        }

        // All nodes have the triggers that a store keeps, and their fire times.
        var slot = names.IsStoreKept ? null : FireSlot.Find(context.Trigger, time);
        return new Occurrence
        {
            Series = NameSeries(job, names.OfTrigger(context.Trigger)),
            Time = slot?.Begin ?? time,
            Run = RunName.Of(nodeId, context.Scheduler.SchedulerName, context.FireInstanceId, slot?.Begin ?? time),

            // Where a store gives each fire to one node, no other one asks for it.
            Recover = policy.OnCrash == JobCrashAction.Recover && !names.IsStoreKept,
            RememberFor = slot is { Length: var length } ? Longer(retention, length) : retention,
        };
    }

    /// <summary>Takes in how a fire ended.</summary>
    public void Settle(ExclusiveRun run)
    {
        var trigger = run.Context.Trigger.Key;
        if (run.Context.RetryScheduled && run.Fire is { } fire)
        {
            _retried.Keep(trigger, fire);
        }
        else if (run.Policy.Share is not null && run.Fire is { } ended)
        {
            // A fire that ran beside it may have failed meanwhile, and is retried yet.
            _retried.Forget(trigger, ended);
        }
        else
        {
            _retried.Forget(trigger);
        }
    }

    /// <summary>Triggered by hand, or to run once from now on under a key that nobody gave; or again, after a crash, by a store that keeps jobs.</summary>
    private bool IsAskedForHereAlone(IJobExecutionContext context) =>
        context.Recovering
        || context.Trigger.JobDataMap.ContainsKey(SchedulerConstants.ManualTrigger)
        || names.IsOfOneNode(context.Trigger);

    /// <summary>The lock may be one that a user named, and have series of several applications, schedulers and jobs.</summary>
    private static string NameSeries(string job, string trigger) => $"{job.Replace("@", "%40", StringComparison.Ordinal)}@{trigger}";

    /// <summary>The other nodes may come to a slot as late as it is long.</summary>
    private static TimeSpan Longer(TimeSpan retention, TimeSpan slot)
    {
        var memory = slot < LongestMemory / 2 ? 2 * slot : LongestMemory;
        return memory > retention ? memory : retention;
    }
}
