using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>Warns of triggers that start after a fire of an exclusive job also where it was skipped: the job store lets them go, and nobody else has a say in it.</summary>
internal static class ContinuationCheck
{
    public static async Task CheckAsync(IScheduler scheduler, ExclusivePolicies policies, ILogger logger, CancellationToken cancellationToken)
    {
        foreach (var key in await scheduler.GetTriggerKeys(GroupMatcher<TriggerKey>.AnyGroup(), cancellationToken).ConfigureAwait(false))
        {
            if (await scheduler.GetTrigger(key, cancellationToken).ConfigureAwait(false) is { Continuation: { Parent: { } parentKey, When: var when } }
                && when.HasFlag(ContinuationCondition.OnVeto)
                && await scheduler.GetTrigger(parentKey, cancellationToken).ConfigureAwait(false) is { } parent
                && await scheduler.GetJobDetail(parent.JobKey, cancellationToken).ConfigureAwait(false) is { } job
                && policies.IsExclusive(job))
            {
                logger.ContinuesAfterSkips(key, parentKey, parent.JobKey);
            }
        }
    }
}
