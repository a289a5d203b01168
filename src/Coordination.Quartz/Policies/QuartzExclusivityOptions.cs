using System.Diagnostics.CodeAnalysis;
using Quartz;

namespace Coordination;

/// <summary>How the exclusive jobs of a scheduler are run. Bound to the configuration section <c>Coordination:Quartz</c>.</summary>
public sealed class QuartzExclusivityOptions
{
    /// <summary>The configuration section: <c>Coordination:Quartz</c>.</summary>
    public const string SectionName = CoordinationOptions.SectionName + ":Quartz";

    private readonly List<(string Jobs, Func<JobKey, Type, bool> Matches, ExclusiveJobOptions Options)> _jobs = [];

    /// <summary>What counts for every exclusive job that nothing else is set for. Weaker than the attribute.</summary>
    public ExclusiveJobOptions Defaults { get; } = new();

    /// <summary>
    /// How long the store remembers the last fire time of a job and trigger: 1 minute to 366 days; 1 day by default. A fire time that a node
    /// comes to later than that may be run again.
    /// </summary>
    public TimeSpan FireTimeRetention { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Whether the metrics of fires have the group and the name of the job besides its type; false by default. Each name is a series of its own, and
    /// a collector of metrics keeps so many (OpenTelemetry 2,000): of use where jobs are few and no tenant, order or user is in their keys.
    /// </summary>
    public bool NameJobsInMetrics { get; set; }

    /// <summary>
    /// Makes all jobs of a type, and of types that derive from it or implement it, exclusive, with or without the attribute. Stronger than the attribute, weaker than job
    /// data. Of several calls that concern a job the later one is stronger.
    /// </summary>
    /// <typeparam name="TJob">The type of the jobs.</typeparam>
    /// <param name="configure">Sets options; null for none.</param>
    /// <returns>These options.</returns>
    public QuartzExclusivityOptions ForJob<TJob>(Action<ExclusiveJobOptions>? configure = null)
        where TJob : IJob => ForJob(typeof(TJob), configure);

    /// <inheritdoc cref="ForJob{TJob}"/>
    /// <param name="jobType">The type of the jobs. Of a generic type that is not constructed, <c>typeof(Import&lt;&gt;)</c> or <c>typeof(IImport&lt;&gt;)</c>, all constructed types.</param>
    /// <param name="configure">Sets options; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="jobType"/> is null.</exception>
    /// <exception cref="ArgumentException">No job can be of that type.</exception>
    public QuartzExclusivityOptions ForJob(Type jobType, Action<ExclusiveJobOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(jobType);
        if (jobType.IsSealed && !typeof(IJob).IsAssignableFrom(jobType))
        {
            throw new ArgumentException($"No job is a {jobType}, which does not implement {nameof(IJob)} and is sealed.", nameof(jobType));
        }

        return Add($"jobs of type {jobType}", jobType.IsGenericTypeDefinition ? (_, type) => IsConstructedFrom(type, jobType) : (_, type) => jobType.IsAssignableFrom(type), configure);
    }

    /// <inheritdoc cref="ForJob{TJob}"/>
    /// <param name="jobKey">The key of the job.</param>
    /// <param name="configure">Sets options; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="jobKey"/> is null.</exception>
    public QuartzExclusivityOptions ForJob(JobKey jobKey, Action<ExclusiveJobOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(jobKey);
        return Add($"the job {jobKey}", (key, _) => key.Equals(jobKey), configure);
    }

    /// <summary>All that is set, and for which jobs.</summary>
    internal IEnumerable<(string Source, ExclusiveJobOptions Options)> AllOptions =>
        _jobs.Select(job => ($"{SectionName}, for {job.Jobs}", job.Options)).Prepend(($"{SectionName}:{nameof(Defaults)}", Defaults));

    internal IEnumerable<ExclusiveJobOptions> OptionsFor(JobKey key, Type type) => _jobs.Where(job => job.Matches(key, type)).Select(job => job.Options);

    private QuartzExclusivityOptions Add(string jobs, Func<JobKey, Type, bool> matches, Action<ExclusiveJobOptions>? configure)
    {
        var options = new ExclusiveJobOptions();
        configure?.Invoke(options);
        _jobs.Add((jobs, matches, options));
        return this;
    }

    /// <summary>Whether a type, a type that it derives from, or an interface that it implements, is constructed from a generic one.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The definition is an interface that the program names, so a type that implements it keeps it.")]
    private static bool IsConstructedFrom(Type type, Type definition)
    {
        if (definition.IsInterface)
        {
            return type.GetInterfaces().Any(IsIt);
        }

        for (var ancestor = type; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (IsIt(ancestor))
            {
                return true;
            }
        }

        return false;

        bool IsIt(Type candidate) => candidate.IsConstructedGenericType && candidate.GetGenericTypeDefinition() == definition;
    }
}
