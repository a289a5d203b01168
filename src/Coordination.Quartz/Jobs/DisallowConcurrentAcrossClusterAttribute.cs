using System.Globalization;

namespace Coordination;

/// <summary>
/// Lets a Quartz job run on one node at a time, of all nodes that share a store of locks, and once for each time at which its trigger
/// fires. Needs <c>AddQuartzExclusivity()</c>. Inherited by classes that derive from the job.
/// </summary>
/// <remarks>
/// <para>What is set here gives way to what <see cref="QuartzExclusivityOptions.ForJob{TJob}"/> sets, and that to the job data under the keys of
/// <see cref="ExclusiveJobData"/>. Times are strings, because an attribute takes no <see cref="TimeSpan"/>: <c>"00:00:30"</c> is half a minute.</para>
/// <para>A value that is out of its range keeps the host from starting, with an <see cref="ArgumentException"/> that names it; of a job that is added
/// later, and of one in a persistent store, it fails each fire.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DisallowConcurrentAcrossClusterAttribute : Attribute
{
    private readonly ExclusiveJobOptions _options = new();

    /// <inheritdoc cref="ExclusiveJobOptions.Name"/>
    public string? Name
    {
        get => _options.Name;
        set => _options.Name = value;
    }

    /// <inheritdoc cref="ExclusiveJobOptions.OnConflict"/>
    public JobConflictAction OnConflict
    {
        get => _options.OnConflict.GetValueOrDefault();
        set => _options.OnConflict = value;
    }

    /// <inheritdoc cref="ExclusiveJobOptions.MaxWait"/>
    public string? MaxWait { get; set; }

    /// <inheritdoc cref="ExclusiveJobOptions.LeaseDuration"/>
    public string? LeaseDuration { get; set; }

    /// <inheritdoc cref="ExclusiveJobOptions.LockAtLeastFor"/>
    public string? LockAtLeastFor { get; set; }

    /// <inheritdoc cref="ExclusiveJobOptions.MaxRunTime"/>
    public string? MaxRunTime { get; set; }

    /// <inheritdoc cref="ExclusiveJobOptions.OncePerFireTime"/>
    public bool OncePerFireTime
    {
        get => _options.OncePerFireTime ?? true;
        set => _options.OncePerFireTime = value;
    }

    /// <inheritdoc cref="ExclusiveJobOptions.OnCrash"/>
    public JobCrashAction OnCrash
    {
        get => _options.OnCrash.GetValueOrDefault();
        set => _options.OnCrash = value;
    }

    /// <inheritdoc cref="ExclusiveJobOptions.OnStoreUnavailable"/>
    public JobOutageAction OnStoreUnavailable
    {
        get => _options.OnStoreUnavailable.GetValueOrDefault();
        set => _options.OnStoreUnavailable = value;
    }

    /// <summary>What was set, and nothing else.</summary>
    /// <exception cref="ArgumentException">A time cannot be read.</exception>
    internal ExclusiveJobOptions ToOptions()
    {
        var options = new ExclusiveJobOptions
        {
            MaxWait = Parse(MaxWait, nameof(MaxWait)),
            LeaseDuration = Parse(LeaseDuration, nameof(LeaseDuration)),
            LockAtLeastFor = Parse(LockAtLeastFor, nameof(LockAtLeastFor)),
            MaxRunTime = Parse(MaxRunTime, nameof(MaxRunTime)),
        };
        options.TakeOver(_options);
        return options;
    }

    private static TimeSpan? Parse(string? value, string name) =>
        value is null ? null
        : TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time) ? time
        : throw new ArgumentException($"[DisallowConcurrentAcrossCluster({name} = \"{value}\")] is not a time. Write it as \"00:00:30\", which is half a minute.");
}
