using System.Diagnostics.CodeAnalysis;
using Coordination.Quartz.Execution;
using Quartz;

namespace Coordination;

/// <summary>What a job asks of its own run.</summary>
public static class JobExecutionContextExtensions
{
    /// <summary>
    /// The lease under which this run has its job to itself. Pass its <see cref="ILease.FencingToken"/> to the resource. The job need not watch
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
                    : $"The job {context.JobDetail.Key} has no lease. Write [DisallowConcurrentAcrossCluster] on its class and call AddQuartzExclusivity(); and where it may run without one, use {nameof(TryGetLease)}.");

    /// <summary>
    /// Whether the job is not run for this fire on this node, because another run has its lock, or has run its fire time, or because the store of the
    /// locks is away. For listeners: such a fire is vetoed, and <see cref="IJobListener.JobExecutionVetoed"/> hears of it.
    /// </summary>
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
