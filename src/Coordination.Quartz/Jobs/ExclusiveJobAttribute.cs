namespace Coordination;

/// <summary>
/// What <see cref="DisallowConcurrentAcrossClusterAttribute"/> and <see cref="LimitConcurrencyAcrossClusterAttribute"/> have in common: how the fires of a Quartz job
/// get their turn in the whole cluster.
/// </summary>
/// <remarks>
/// <para>What is set here gives way to what <see cref="QuartzExclusivityOptions.ForJob{TJob}"/> sets, and that to the job data under the keys of
/// <see cref="ExclusiveJobData"/>. Durations are numbers of seconds, because an attribute takes no <see cref="TimeSpan"/>.</para>
/// <para>Inherited by classes that derive from the job; one that has an attribute itself has that one alone. Both on one class, and a value that is out of its
/// range, keep the host from starting, with an <see cref="ArgumentException"/> that names the job; of a job that is added later, and of one in a persistent
/// store, they fail each fire.</para>
/// </remarks>
[AttributeUsage(AttributeTargets.Class)]
public abstract class ExclusiveJobAttribute : Attribute
{
    private readonly ExclusiveJobOptions _options = new();

    private protected ExclusiveJobAttribute()
    {
    }

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
    /// <value>In seconds. <see cref="double.NaN"/>, the default, for what is set elsewhere.</value>
    public double MaxWaitSeconds { get; set; } = double.NaN;

    /// <inheritdoc cref="ExclusiveJobOptions.LeaseDuration"/>
    /// <value>In seconds. <see cref="double.NaN"/>, the default, for what is set elsewhere.</value>
    public double LeaseDurationSeconds { get; set; } = double.NaN;

    /// <inheritdoc cref="ExclusiveJobOptions.LockAtLeastFor"/>
    /// <value>In seconds. <see cref="double.NaN"/>, the default, for what is set elsewhere.</value>
    public double LockAtLeastForSeconds { get; set; } = double.NaN;

    /// <inheritdoc cref="ExclusiveJobOptions.MaxRunTime"/>
    /// <value>In seconds. <see cref="double.NaN"/>, the default, for what is set elsewhere.</value>
    public double MaxRunTimeSeconds { get; set; } = double.NaN;

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
    internal ExclusiveJobOptions ToOptions()
    {
        var options = new ExclusiveJobOptions
        {
            MaxWait = Read(MaxWaitSeconds),
            LeaseDuration = Read(LeaseDurationSeconds),
            LockAtLeastFor = Read(LockAtLeastForSeconds),
            MaxRunTime = Read(MaxRunTimeSeconds),
        };
        options.TakeOver(_options);
        Limit(options);
        return options;
    }

    /// <summary>Says how many runs there may be at a time.</summary>
    private protected abstract void Limit(ExclusiveJobOptions options);

    /// <summary>What is more than a duration can be becomes the longest one, which is out of every range.</summary>
    private static TimeSpan? Read(double seconds) => seconds switch
    {
        double.NaN => null,
        >= 922_337_203_685 => TimeSpan.MaxValue,
        <= -922_337_203_685 => TimeSpan.MinValue,
        _ => TimeSpan.FromSeconds(seconds),
    };
}
