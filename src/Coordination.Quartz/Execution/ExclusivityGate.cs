using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Decides whether a fire of an exclusive job may begin, and vetoes it where not: a veto is Quartz's own word for a fire that did not run its job, so
/// no listener, chain, history or retry takes it for one that did.
/// </summary>
/// <remarks>
/// The lease of a fire that may begin is held and released by <see cref="ExclusivityMiddleware"/>. Where another listener keeps the fire from
/// coming there, the scheduler tells of it by a veto or by an error, and <see cref="AbandonAsync(IJobExecutionContext)"/> undoes the lease.
/// </remarks>
internal sealed class ExclusivityGate(
    RunAdmission admission,
    ExclusivePolicies policies,
    FireTimes fireTimes,
    ExclusiveRuns runs,
    FireReport report,
    ChainGuard chains,
    KeyCheck keys,
    FireHandBack handBack,
    OtherNodesLook others,
    TimeSpan leaseDuration,
    ILogger logger) : ITriggerListener
{
    /// <summary>What keeps a job from being exclusive as it is set, by fire: it fails the job, and no veto does.</summary>
    private readonly ConditionalWeakTable<IJobExecutionContext, JobExecutionException> _faults = new();

    /// <summary>Runs that may begin and have not begun, by the id of their fire.</summary>
    private readonly ConcurrentDictionary<string, ExclusiveRun> _admitted = new();

    private volatile SchedulerMetadata? _metadata;

    public string Name => "Coordination.Exclusivity";

    public async ValueTask<bool> VetoJobExecution(ITrigger trigger, IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        // What is left of the try before a refire, if that never came to its job.
        await AbandonAsync(context).ConfigureAwait(false);
        if (_faults.TryGetValue(context, out var fault) && fault.InnerException is ArgumentException)
        {
            // Nothing is set otherwise at a refire.
            return false;
        }

        _faults.Remove(context);
        try
        {
            return await DecideAsync(context, cancellationToken).ConfigureAwait(false) is { } run && await RefusesAsync(run, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException e)
        {
            _faults.Add(context, new JobExecutionException(e.Message, e));
            return false;
        }
        catch (JobExecutionException e)
        {
            _faults.Add(context, e);
            return false;
        }
    }

    /// <summary>The run of a fire whose job begins; null when the job is not exclusive.</summary>
    /// <exception cref="JobExecutionException">The job cannot be exclusive as it is set, or the store refuses for good: the fire fails, and says what to change.</exception>
    public ExclusiveRun? Enter(IJobExecutionContext context)
    {
        if (_faults.TryGetValue(context, out var fault))
        {
            throw fault;
        }

        _admitted.TryRemove(context.FireInstanceId, out _);
        return ExclusiveRun.Find(context);
    }

    /// <summary>Undoes what a fire was granted whose job does not begin after all.</summary>
    public Task AbandonAsync(IJobExecutionContext context) => AbandonAsync(context.FireInstanceId);

    /// <inheritdoc cref="AbandonAsync(IJobExecutionContext)"/>
    public async Task AbandonAsync(string fireInstanceId)
    {
        if (_admitted.TryRemove(fireInstanceId, out var run))
        {
            run.Outcome = null;
            await admission.AbandonAsync(run).ConfigureAwait(false);
            End(run);
        }
    }

    /// <summary>Ends a run, however it came to its end.</summary>
    public void End(ExclusiveRun run)
    {
        runs.Remove(run);
        run.End();
    }

    private async Task<ExclusiveRun?> DecideAsync(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        var job = await fireTimes.IdentifyAsync(context.Scheduler, context.JobDetail, cancellationToken).ConfigureAwait(false);

        // By now, as a refire, it has none of our settings in its data any more.
        var policy = context.RefireCount > 0 ? ExclusiveRun.Find(context)?.Policy : policies.Find(context.JobDetail, context.MergedJobDataMap, job, context.Trigger);
        ExclusiveJobData.RemoveFrom(context.MergedJobDataMap);
        if (policy is null)
        {
            return null;
        }

        var fire = fireTimes.Find(context, policy, job.Text, policies.FireTimeRetention);
        keys.Check(context.JobDetail, context.Trigger, policy, job);
        return new ExclusiveRun(context, policy, fire, logger);
    }

    private async Task<bool> RefusesAsync(ExclusiveRun run, CancellationToken cancellationToken)
    {
        var metadata = _metadata ??= await run.Context.Scheduler.GetMetadata(cancellationToken).ConfigureAwait(false);
        var longest = WaitRule.LongestWait(run.Context, run.Policy, metadata.JobStorePersistent, run.Policy.LockOptions.LeaseDuration ?? leaseDuration);
        run.Publish();
        runs.Add(run);
        try
        {
            await admission.AdmitAsync(run, longest, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Whatever it was, also a cancelled wait: this fire does not run, and Quartz is told why.
            End(run);
            throw;
        }

        if (!run.IsSkipped)
        {
            _admitted[run.Context.FireInstanceId] = run;
            return false;
        }

        if (run.Outcome == FireOutcome.SkippedAtStop)
        {
            run.IsLeftForAnother = await LeaveAsync(run).ConfigureAwait(false);
            run.OnOtherNodes = run.IsLeftForAnother ? null : await others.FindAsync(run.Policy, run.Fire, comesToAllNodes: !metadata.JobStorePersistent).ConfigureAwait(false);
        }

        End(run);
        run.Context.Result = JobRunReport.Skipped(run.Explain());
        chains.Guard(run.Context.Scheduler);
        fireTimes.Settle(run);
        report.Tell(run);
        return true;
    }

    private async Task<bool> LeaveAsync(ExclusiveRun run)
    {
        try
        {
            return await handBack.LeaveAsync(run.Context).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whatever the job store throws, as where its database is away: the fire is reported as one that nobody runs.
            logger.NotLeftInStore(e, run.Context.JobDetail.Key);
            return false;
        }
    }
}
