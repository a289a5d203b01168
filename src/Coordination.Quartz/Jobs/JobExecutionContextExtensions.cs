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
    /// <exception cref="InvalidOperationException">The run has no lease.</exception>
    public static ILease GetLease(this IJobExecutionContext context) =>
        TryGetLease(context, out var lease)
            ? lease
            : throw new InvalidOperationException(
                $"The job {context.JobDetail.Key} has no lease. Write [DisallowConcurrentAcrossCluster] on its class and call AddQuartzExclusivity(); "
                + $"and where it may run without one, by {nameof(JobOutageAction)}.{nameof(JobOutageAction.RunAnyway)}, use {nameof(TryGetLease)}.");

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
