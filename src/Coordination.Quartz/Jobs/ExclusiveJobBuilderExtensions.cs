using System.Diagnostics.CodeAnalysis;
using Quartz;

namespace Coordination;

/// <summary>Makes jobs exclusive where they are built, as the attributes do where they are written.</summary>
public static class ExclusiveJobBuilderExtensions
{
    private const DynamicallyAccessedMemberTypes MembersOfJob =
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.Interfaces;

    /// <summary>
    /// Lets the job run on one node at a time, and once per fire time. What is set is put into the job's data, under the keys of
    /// <see cref="ExclusiveJobData"/>, and is strongest there.
    /// </summary>
    /// <typeparam name="TJob">The job.</typeparam>
    /// <param name="job">The job that is being built.</param>
    /// <param name="configure">Sets options; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="job"/> is null.</exception>
    public static IJobConfigurator<TJob> DisallowConcurrentAcrossCluster<[DynamicallyAccessedMembers(MembersOfJob)] TJob>(
        this IJobConfigurator<TJob> job, Action<ExclusiveJobOptions>? configure = null)
        where TJob : IJob
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.UsingJobData(DataOf(new ExclusiveJobOptions { IsOneAtATime = true }, configure));
    }

    /// <inheritdoc cref="DisallowConcurrentAcrossCluster{TJob}(IJobConfigurator{TJob}, Action{ExclusiveJobOptions})"/>
    public static JobBuilder<TJob> DisallowConcurrentAcrossCluster<[DynamicallyAccessedMembers(MembersOfJob)] TJob>(
        this JobBuilder<TJob> job, Action<ExclusiveJobOptions>? configure = null)
        where TJob : IJob
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.UsingJobData(DataOf(new ExclusiveJobOptions { IsOneAtATime = true }, configure));
    }

    /// <summary>
    /// Lets up to a number of runs of the job be under way at a time, on all nodes together, and runs it once per fire time. What is set is put into the job's data, under the
    /// keys of <see cref="ExclusiveJobData"/>, and is strongest there.
    /// </summary>
    /// <typeparam name="TJob">The job.</typeparam>
    /// <param name="job">The job that is being built.</param>
    /// <param name="maxConcurrentRuns">How many: 1 to <see cref="LockCapacity.MaxPermits"/>. Another number keeps the host from starting.</param>
    /// <param name="configure">Sets options; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="job"/> is null.</exception>
    public static IJobConfigurator<TJob> LimitConcurrencyAcrossCluster<[DynamicallyAccessedMembers(MembersOfJob)] TJob>(
        this IJobConfigurator<TJob> job, int maxConcurrentRuns, Action<ExclusiveJobOptions>? configure = null)
        where TJob : IJob
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.UsingJobData(DataOf(new ExclusiveJobOptions { MaxConcurrentRuns = maxConcurrentRuns }, configure));
    }

    /// <inheritdoc cref="LimitConcurrencyAcrossCluster{TJob}(IJobConfigurator{TJob}, int, Action{ExclusiveJobOptions})"/>
    public static JobBuilder<TJob> LimitConcurrencyAcrossCluster<[DynamicallyAccessedMembers(MembersOfJob)] TJob>(
        this JobBuilder<TJob> job, int maxConcurrentRuns, Action<ExclusiveJobOptions>? configure = null)
        where TJob : IJob
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.UsingJobData(DataOf(new ExclusiveJobOptions { MaxConcurrentRuns = maxConcurrentRuns }, configure));
    }

    private static JobDataMap DataOf(ExclusiveJobOptions options, Action<ExclusiveJobOptions>? configure)
    {
        configure?.Invoke(options);
        return ExclusiveJobData.Write(options);
    }
}
