using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Asks Quartz whether a fire that has waited may still run, by the rules that Quartz has for one that it has acquired and not begun: one whose trigger was
/// deleted meanwhile, alone or with its job, does not run, and one that was paused does not run before it is resumed. A scheduler in standby begins what it has acquired.
/// </summary>
internal sealed class FireStanding(TimeProvider time)
{
    /// <summary>How often a fire that is paused looks whether it is resumed.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>Whether it may run now.</summary>
    public async Task<bool> MayRunAsync(IJobExecutionContext context, CancellationToken cancellationToken) =>
        await FindAsync(context, cancellationToken).ConfigureAwait(false) is not (TriggerState.None or TriggerState.Paused);

    /// <summary>Waits for as long as its trigger is paused.</summary>
    /// <param name="context">The fire.</param>
    /// <param name="onPaused">Called where it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False where it does not run any more.</returns>
    public async Task<bool> WaitWhilePausedAsync(IJobExecutionContext context, Action onPaused, CancellationToken cancellationToken)
    {
        var isTold = false;
        while (true)
        {
            var state = await FindAsync(context, cancellationToken).ConfigureAwait(false);
            if (state != TriggerState.Paused)
            {
                return state != TriggerState.None;
            }

            if (!isTold)
            {
                isTold = true;
                onPaused();
            }

            await Task.Delay(LookInterval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TriggerState> FindAsync(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        try
        {
            var state = await context.Scheduler.GetTriggerState(context.Trigger.Key, cancellationToken).ConfigureAwait(false);
            if (state != TriggerState.None || !MayHaveEnded(context))
            {
                return state;
            }

            // A job that is not durable goes with its last trigger.
            return !context.JobDetail.Durable || await context.Scheduler.GetJobDetail(context.JobDetail.Key, cancellationToken).ConfigureAwait(false) is not null ? TriggerState.Complete : TriggerState.None;
        }
        catch (SchedulerException)
        {
            // The job store is away, and has not said that the fire is not to run.
            return TriggerState.Normal;
        }
    }

    /// <summary>Whether its trigger may be gone because its series is over: a job store lets it go when any fire of it ends after the last one has begun.</summary>
    private bool MayHaveEnded(IJobExecutionContext context) =>
        (context.PreviousFireTimeUtc is not null || context.NextFireTimeUtc is not null)
        && (context.Calendar is not null || context.Trigger.GetFireTimeAfter(time.GetUtcNow()) is null);
}
