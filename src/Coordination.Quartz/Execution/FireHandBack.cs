using Quartz;
using Quartz.Extensibility;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Leaves a fire that waited when its scheduler shut down in a job store that outlives the process, to fire again on the next node. By the store, because a
/// scheduler that shuts down schedules nothing any more.
/// </summary>
internal sealed class FireHandBack(IJobStore? store, TimeProvider time)
{
    /// <summary>Puts the trigger of a fire back, to fire once and at once.</summary>
    /// <returns>False where later fires follow by themselves, and where the store does not have the trigger any more.</returns>
    public async ValueTask<bool> LeaveAsync(IJobExecutionContext context)
    {
        if (store is not { SupportsPersistence: true } || context.NextFireTimeUtc is not null)
        {
            return false;
        }

        // Under the same key and with the same data. A store does not delete a trigger that was scheduled anew while it fired.
        var again = context.Trigger.GetTriggerBuilder()
            .StartAt(time.GetUtcNow())
            .EndAt(null)
            .WithCalendarName(null)
            .WithSchedule(SimpleScheduleBuilder.Create())
            .Build();
        if (again is not IOperableTrigger trigger || trigger.ComputeFirstFireTimeUtc(calendar: null) is null)
        {
            return false;
        }

        return await store.ReplaceTrigger(context.Trigger.Key, trigger, CancellationToken.None).ConfigureAwait(false);
    }
}
