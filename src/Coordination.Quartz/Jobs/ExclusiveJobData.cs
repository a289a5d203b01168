using System.Collections.Frozen;
using System.Globalization;
using Quartz;

namespace Coordination;

/// <summary>
/// The keys of job data that set how a job is exclusive. Data of the trigger wins over data of the job, and both over the attribute and
/// <see cref="QuartzExclusivityOptions"/>. Values are of the option's type, or strings of it, as persistent stores keep them.
/// </summary>
/// <remarks>
/// A job does not see them in <see cref="IJobExecutionContext.MergedJobDataMap"/>, so that it may pass that on to another job. The map of
/// <see cref="IJobDetail.JobDataMap"/>, and the trigger's, keep them: a job that gets one of these is exclusive as this one is. Other keys are the application's, whatever
/// they begin with.
/// </remarks>
public static class ExclusiveJobData
{
    /// <summary>Whether the job is exclusive at all: <c>true</c> makes a job without the attribute exclusive, <c>false</c> takes the attribute's effect away.</summary>
    public const string IsExclusive = Prefix + "Exclusive";

    /// <inheritdoc cref="ExclusiveJobOptions.Name"/>
    public const string Name = Prefix + nameof(Name);

    /// <inheritdoc cref="ExclusiveJobOptions.MaxConcurrentRuns"/>
    /// <remarks>Or <c>None</c>, for one run at a time by an exclusive lock, whatever the attribute says.</remarks>
    public const string MaxConcurrentRuns = Prefix + nameof(MaxConcurrentRuns);

    /// <inheritdoc cref="ExclusiveJobOptions.OnConflict"/>
    public const string OnConflict = Prefix + nameof(OnConflict);

    /// <inheritdoc cref="ExclusiveJobOptions.MaxWait"/>
    public const string MaxWait = Prefix + nameof(MaxWait);

    /// <inheritdoc cref="ExclusiveJobOptions.LeaseDuration"/>
    public const string LeaseDuration = Prefix + nameof(LeaseDuration);

    /// <inheritdoc cref="ExclusiveJobOptions.LockAtLeastFor"/>
    public const string LockAtLeastFor = Prefix + nameof(LockAtLeastFor);

    /// <inheritdoc cref="ExclusiveJobOptions.MaxRunTime"/>
    public const string MaxRunTime = Prefix + nameof(MaxRunTime);

    /// <inheritdoc cref="ExclusiveJobOptions.OncePerFireTime"/>
    public const string OncePerFireTime = Prefix + nameof(OncePerFireTime);

    /// <inheritdoc cref="ExclusiveJobOptions.OnCrash"/>
    public const string OnCrash = Prefix + nameof(OnCrash);

    /// <inheritdoc cref="ExclusiveJobOptions.OnStoreUnavailable"/>
    public const string OnStoreUnavailable = Prefix + nameof(OnStoreUnavailable);

    private const string Prefix = "Coordination.";

    /// <summary>The value that takes a limit away.</summary>
    private const string NoLimit = "None";

    private static readonly FrozenSet<string> Settings = FrozenSet.ToFrozenSet(
        [IsExclusive, Name, MaxConcurrentRuns, OnConflict, MaxWait, LeaseDuration, LockAtLeastFor, MaxRunTime, OncePerFireTime, OnCrash, OnStoreUnavailable], StringComparer.Ordinal);

    /// <summary>Whether a key is one of these.</summary>
    internal static bool IsSetting(string key) => Settings.Contains(key);

    /// <summary>What the data say of whether the job is exclusive; null for nothing.</summary>
    internal static bool? ReadIsExclusive(JobDataMap data) => ReadBoolean(data, IsExclusive);

    internal static ExclusiveJobOptions Read(JobDataMap data) => new()
    {
        Name = Find(data, Name) as string,
        MaxConcurrentRuns = ReadLimit(data),
        IsOneAtATime = IsNoLimit(Find(data, MaxConcurrentRuns)),
        OnConflict = ReadEnum<JobConflictAction>(data, OnConflict),
        MaxWait = ReadTime(data, MaxWait),
        LeaseDuration = ReadTime(data, LeaseDuration),
        LockAtLeastFor = ReadTime(data, LockAtLeastFor),
        MaxRunTime = ReadTime(data, MaxRunTime),
        OncePerFireTime = ReadBoolean(data, OncePerFireTime),
        OnCrash = ReadEnum<JobCrashAction>(data, OnCrash),
        OnStoreUnavailable = ReadEnum<JobOutageAction>(data, OnStoreUnavailable),
    };

    /// <summary>Writes what is set, as strings, which every job store keeps.</summary>
    internal static JobDataMap Write(ExclusiveJobOptions options)
    {
        var data = new JobDataMap { [IsExclusive] = bool.TrueString };
        Put(Name, options.Name);
        Put(MaxConcurrentRuns, options.MaxConcurrentRuns?.ToString(CultureInfo.InvariantCulture) ?? (options.IsOneAtATime ? NoLimit : null));
        Put(OnConflict, options.OnConflict?.ToString());
        Put(MaxWait, options.MaxWait?.ToString("c", CultureInfo.InvariantCulture));
        Put(LeaseDuration, options.LeaseDuration?.ToString("c", CultureInfo.InvariantCulture));
        Put(LockAtLeastFor, options.LockAtLeastFor?.ToString("c", CultureInfo.InvariantCulture));
        Put(MaxRunTime, options.MaxRunTime?.ToString("c", CultureInfo.InvariantCulture));
        Put(OncePerFireTime, options.OncePerFireTime?.ToString(CultureInfo.InvariantCulture));
        Put(OnCrash, options.OnCrash?.ToString());
        Put(OnStoreUnavailable, options.OnStoreUnavailable?.ToString());
        return data;

        void Put(string key, string? value)
        {
            if (value is not null)
            {
                data[key] = value;
            }
        }
    }

    /// <summary>The data of a fire: the job's, with the trigger's on top.</summary>
    internal static JobDataMap Merge(IJobDetail job, ITrigger trigger)
    {
        var data = new JobDataMap((IDictionary<string, object?>)job.JobDataMap);
        foreach (var (key, value) in trigger.JobDataMap)
        {
            data[key] = value;
        }

        return data;
    }

    /// <summary>Takes the settings out of the data that a job sees, and may pass on to another job.</summary>
    internal static void RemoveFrom(JobDataMap data)
    {
        foreach (var key in data.Keys.Where(IsSetting).ToList())
        {
            data.Remove(key);
        }
    }

    private static object? Find(JobDataMap data, string key) => data.TryGetValue(key, out var value) ? value : null;

    private static bool? ReadBoolean(JobDataMap data, string key) => Find(data, key) switch
    {
        null => null,
        bool value => value,
        string text when bool.TryParse(text, out var value) => value,
        var other => throw Wrong(key, other, "true or false"),
    };

    private static bool IsNoLimit(object? value) => value is string text && text.Equals(NoLimit, StringComparison.OrdinalIgnoreCase);

    private static int? ReadLimit(JobDataMap data) => Find(data, MaxConcurrentRuns) switch
    {
        null => null,
        int value => value,
        var none when IsNoLimit(none) => null,
        string text when int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) => value,
        var other => throw Wrong(MaxConcurrentRuns, other, $"a number from 1 to {LockCapacity.MaxPermits}, or {NoLimit}"),
    };

    private static TimeSpan? ReadTime(JobDataMap data, string key) => Find(data, key) switch
    {
        null => null,
        TimeSpan value => value,
        string text => DurationText.FindError($"The job data: {key}", text) is { } error ? throw new ArgumentException(error) : TimeSpan.Parse(text, CultureInfo.InvariantCulture),
        var other => throw Wrong(key, other, "a duration, as 00:00:30"),
    };

    private static T? ReadEnum<T>(JobDataMap data, string key)
        where T : struct, Enum => Find(data, key) switch
        {
            null => null,
            T value => value,
            string text when Enum.TryParse<T>(text, ignoreCase: true, out var value) => value,
            var other => throw Wrong(key, other, string.Join(" or ", Enum.GetNames<T>())),
        };

    private static ArgumentException Wrong(string key, object value, string expected) =>
        new($"The job data have '{value}' under {key}, and must have {expected}.");
}
