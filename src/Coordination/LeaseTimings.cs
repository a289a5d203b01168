namespace Coordination;

/// <summary>
/// The durations of a lease, which only make sense together: how long it lasts, how often it is renewed, and how long before its end the holder is told.
/// </summary>
/// <remarks>Two leases with equal timings are renewed in one call. Compared by value.</remarks>
public sealed record LeaseTimings
{
    /// <summary>The shortest lease duration: 100 ms.</summary>
    public static readonly TimeSpan MinDuration = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest lease duration: 1 day.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(1);

    /// <summary>The shortest renewal interval: 20 ms. A shorter one would ask the store all the time.</summary>
    public static readonly TimeSpan MinRenewalInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>The shortest safety margin: 20 ms. In a shorter one a holder could not be told in time.</summary>
    public static readonly TimeSpan MinSafetyMargin = TimeSpan.FromMilliseconds(20);

    /// <summary>How much of a lease renewal interval and safety margin may take: the rest is for a renewal that failed once to be repeated.</summary>
    internal const double MaxShare = 0.9;

    private static readonly DurationRange OfLock = DurationRange.Between(MinDuration, MaxDuration, "null for that of the node");

    private LeaseTimings(TimeSpan duration, TimeSpan renewalInterval, TimeSpan safetyMargin)
    {
        Duration = duration;
        RenewalInterval = renewalInterval;
        SafetyMargin = safetyMargin;
    }

    /// <summary>How long a grant lasts in the store with no renewal.</summary>
    /// <value>From 100 ms to 1 day; 15 s by default.</value>
    public TimeSpan Duration { get; }

    /// <summary>How often the lease is renewed.</summary>
    /// <value>From 20 ms; a third of <see cref="Duration"/> by default.</value>
    public TimeSpan RenewalInterval { get; }

    /// <summary>How long before its end in the store the holder is told that the lease is lost.</summary>
    /// <value>From 20 ms; a fifth of <see cref="Duration"/> by default.</value>
    public TimeSpan SafetyMargin { get; }

    /// <summary>
    /// How long one call to the store may take: half an interval, so that a call that hangs leaves time for another one before
    /// the next renewal would have been due.
    /// </summary>
    internal TimeSpan CallLimit => RenewalInterval / 2;

    /// <summary>How long after a failed renewal the next one is sent.</summary>
    internal TimeSpan RetryInterval => RenewalInterval / 10;

    /// <summary>Leases whose renewals are due within this time of each other are renewed in one call.</summary>
    internal TimeSpan BatchingWindow => RenewalInterval / 10;

    /// <summary>The timings of a node's leases; with <paramref name="lockOptions"/>, those of the leases of one lock.</summary>
    /// <param name="options">The settings of the node.</param>
    /// <param name="lockOptions">
    /// How the lock differs. Another <see cref="LockOptions.LeaseDuration"/> keeps the proportions of the interval and the margin, as far as these do not
    /// become shorter than they may be. Null for not at all.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A duration is out of its range.</exception>
    public static LeaseTimings Of(CoordinationOptions options, LockOptions? lockOptions = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Validate(lockOptions);
        if (FindErrors(options).FirstOrDefault() is { } error)
        {
            throw new ArgumentOutOfRangeException(nameof(options), error);
        }

        var timings = new LeaseTimings(
            options.LeaseDuration,
            options.RenewalInterval ?? options.LeaseDuration / 3,
            options.SafetyMargin ?? options.LeaseDuration / 5);
        return timings.For(lockOptions);
    }

    /// <exception cref="ArgumentOutOfRangeException">The lease duration is out of its range.</exception>
    internal static void Validate(LockOptions? options) =>
        OfLock.Validate(nameof(options), nameof(options.LeaseDuration), options?.LeaseDuration);

    /// <summary>What is wrong with the durations of a node's leases: a sentence for each that names the setting, its value and its limits.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="section">The configuration section that has them.</param>
    internal static IEnumerable<string> FindErrors(CoordinationOptions options, string section = CoordinationOptions.SectionName)
    {
        var duration = options.LeaseDuration;
        if (DurationRange.Between(MinDuration, MaxDuration).FindError($"{section}:{nameof(options.LeaseDuration)}", duration) is { } error)
        {
            yield return error;
            yield break;
        }

        var limit = duration * MaxShare;
        var (interval, margin) = (options.RenewalInterval ?? duration / 3, options.SafetyMargin ?? duration / 5);
        if (interval < MinRenewalInterval)
        {
            yield return TooShort(section, nameof(options.RenewalInterval), interval, MinRenewalInterval);
        }
        else if (margin < MinSafetyMargin)
        {
            yield return TooShort(section, nameof(options.SafetyMargin), margin, MinSafetyMargin);
        }
        else if (interval > limit - margin)
        {
            // What to change is the one that leaves no room for the other.
            var (name, most) = margin > limit - MinRenewalInterval
                ? (nameof(options.SafetyMargin), limit - MinRenewalInterval)
                : (nameof(options.RenewalInterval), limit - margin);
            yield return
                $"{section}:{nameof(options.RenewalInterval)} ({interval}) and {nameof(options.SafetyMargin)} ({margin}) "
                + $"do not fit into {nameof(options.LeaseDuration)} ({duration}): together they may be {limit} at most, or a lease would be lost before a renewal that failed once can be repeated. "
                + $"Lower {name} to {most} or less, or raise {nameof(options.LeaseDuration)}.";
        }
    }

    /// <summary>The same proportions for a lock that may have another duration.</summary>
    internal LeaseTimings For(LockOptions? lockOptions) =>
        lockOptions?.LeaseDuration is not { } duration || duration == Duration ? this : Scale(duration);

    /// <summary>The same proportions for a lock that was handed over and is not claimed yet.</summary>
    internal LeaseTimings Within(TimeSpan claimWindow) => claimWindow < Duration ? Scale(claimWindow) : this;

    private LeaseTimings Scale(TimeSpan duration)
    {
        var scale = duration / Duration;
        var limit = duration * MaxShare;

        // Where the proportions leave no room, the interval gives way to the margin first, and the margin then to the shortest interval.
        var margin = Max(SafetyMargin * scale, MinSafetyMargin);
        var interval = Max(Min(RenewalInterval * scale, limit - margin), MinRenewalInterval);
        return new LeaseTimings(duration, interval, Min(margin, limit - interval));
    }

    private static string TooShort(string section, string name, TimeSpan value, TimeSpan min) =>
        $"{section}:{name} is {value}, and must be at least {min}. Leave it out for the default.";

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
