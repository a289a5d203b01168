using System.Diagnostics.CodeAnalysis;
using Coordination.Quartz.Execution;
using Quartz;

namespace Coordination;

/// <summary>What a job asks of its own run.</summary>
public static class JobExecutionContextExtensions
{
    /// <summary>
    /// The lease under which this run has its job to itself, or one of the permits of <see cref="LimitConcurrencyAcrossClusterAttribute"/>: <see cref="ILease.Permit"/> is its
    /// number. Pass its <see cref="ILease.FencingToken"/> to the resource. The job need not watch
    /// <see cref="ILease.Lost"/>: the fire is interrupted when the lease is lost.
    /// </summary>
    /// <param name="context">The context of the run.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is null.</exception>
    /// <exception cref="InvalidOperationException">
    /// The run has no lease. A job that may run without one, by <see cref="JobOutageAction.RunAnyway"/>, asks by <see cref="TryGetLease"/>.
    /// </exception>
    public static ILease GetLease(this IJobExecutionContext context) =>
        TryGetLease(context, out var lease)
            ? lease
            : throw new InvalidOperationException(
                ExclusiveRun.Find(context)?.Outcome == FireOutcome.RanUnprotected
                    ? $"The job {context.JobDetail.Key} runs with no lease, because the lock store does not reply and the job is set to {nameof(JobOutageAction)}.{nameof(JobOutageAction.RunAnyway)}. Use {nameof(TryGetLease)} in such a job."
                    : $"The job {context.JobDetail.Key} has no lease. Write [DisallowConcurrentAcrossCluster] or [LimitConcurrencyAcrossCluster(…)] on its class and call AddQuartzExclusivity(); and where it may run without one, use {nameof(TryGetLease)}.");

    /// <summary>
    /// Whether this package kept the job from running for this fire, on this node. For listeners: such a fire is vetoed, and
    /// <see cref="IJobListener.JobExecutionVetoed"/> hears of it.
    /// </summary>
    /// <remarks>
    /// True where another run has the lock and the fire does not wait, or has waited for as long as it may; where its fire time was run, or a later one of its series
    /// (not with <see cref="LimitConcurrencyAcrossClusterAttribute"/>);
    /// where another fire of its trigger waits on this node and stands for it; where the store of the locks is away and the job is not to run anyway; and where the
    /// scheduler shut down while it waited, also when it was left in the job store for another node. False for a fire that runs, or has run, however it ended; for one
    /// that another listener vetoed; for a job that is not exclusive; and for every fire until it is decided, which it is when the trigger listeners have been asked.
    /// </remarks>
    /// <param name="context">The context of the fire.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is null.</exception>
    public static bool WasSkipped(this IJobExecutionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return ExclusiveRun.Find(context) is { IsSkipped: true };
    }

    /// <summary>The lease of this run, if it has one: a job that is not exclusive has none, nor one that runs although the store is away.</summary>
    /// <param name="context">The context of the run.</param>
    /// <param name="lease">The lease.</param>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is null.</exception>
    public static bool TryGetLease(this IJobExecutionContext context, [NotNullWhen(true)] out ILease? lease)
    {
        ArgumentNullException.ThrowIfNull(context);
        lease = ExclusiveRun.Find(context)?.Lease?.AsReadOnly();
        return lease is not null;
    }
}
