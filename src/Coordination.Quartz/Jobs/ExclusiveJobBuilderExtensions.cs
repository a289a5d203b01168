using System.Diagnostics.CodeAnalysis;
using Quartz;

namespace Coordination;

/// <summary>Makes jobs exclusive where they are built, as the attribute does where they are written.</summary>
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
        return job.UsingJobData(DataOf(configure));
    }

    /// <inheritdoc cref="DisallowConcurrentAcrossCluster{TJob}(IJobConfigurator{TJob}, Action{ExclusiveJobOptions})"/>
    public static JobBuilder<TJob> DisallowConcurrentAcrossCluster<[DynamicallyAccessedMembers(MembersOfJob)] TJob>(
        this JobBuilder<TJob> job, Action<ExclusiveJobOptions>? configure = null)
        where TJob : IJob
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.UsingJobData(DataOf(configure));
    }

    private static JobDataMap DataOf(Action<ExclusiveJobOptions>? configure)
    {
        var options = new ExclusiveJobOptions();
        configure?.Invoke(options);
        return ExclusiveJobData.Write(options);
    }
}
