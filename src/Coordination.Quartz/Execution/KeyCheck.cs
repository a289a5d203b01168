using System.Collections.Concurrent;
using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Warns of exclusive jobs and triggers whose keys are, or may be, another on each node, once for each type of job: when they are scheduled at run time, where
/// no record tells whether a key was given, and at the latest when they fire.
/// </summary>
internal sealed class KeyCheck(ExclusivePolicies policies, SchedulerNames names, ILogger logger) : ISchedulerListener
{
    private readonly ConcurrentDictionary<Type, bool> _jobs = new();
    private readonly ConcurrentDictionary<Type, bool> _triggers = new();

    public async ValueTask JobScheduled(IScheduler scheduler, ITrigger trigger, CancellationToken cancellationToken = default)
    {
        // One that fires once, and at once, may be over by now, and its job deleted.
        if (await scheduler.GetJobDetail(trigger.JobKey, cancellationToken).ConfigureAwait(false) is not { } job)
        {
            return;
        }

        var name = await names.OfJobAsync(scheduler, job, cancellationToken).ConfigureAwait(false);
        if (!names.MayBeOfOneNode(job.Key) && !names.MayBeOfOneNode(trigger))
        {
            return;
        }

        ExclusivePolicy? policy;
        try
        {
            policy = policies.Find(job, ExclusiveJobData.Merge(job, trigger), name, trigger);
        }
        catch (ArgumentException)
        {
            // It cannot be exclusive as it is set: each of its fires fails and says so.
            return;
        }

        if (policy is not null)
        {
            Check(job, trigger, policy, name);
        }
    }

    /// <summary>Warns of the keys of a fire.</summary>
    /// <param name="job">The job.</param>
    /// <param name="trigger">The trigger.</param>
    /// <param name="policy">How the fire is exclusive.</param>
    /// <param name="name">What the job is called on every node.</param>
    public void Check(IJobDetail job, ITrigger trigger, ExclusivePolicy policy, JobName name)
    {
        var type = job.JobType.Type;
        if (policy.LockName == name.Text)
        {
            if (name.IsOfType && _jobs.TryAdd(type, true))
            {
                logger.NamedByType(job.Key, type);
            }
            else if (names.MayBeOfOneNode(job.Key) && _jobs.TryAdd(type, true))
            {
                logger.KeyMayBeGenerated(job.Key, type);
            }
        }

        if (policy.OncePerFireTime && names.MayBeOfOneNode(trigger) && _triggers.TryAdd(type, true))
        {
            logger.TriggerKeyMayBeGenerated(trigger.Key, job.Key, type);
        }
    }
}
