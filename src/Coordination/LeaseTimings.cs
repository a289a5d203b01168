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
    /// <value>A third of <see cref="Duration"/> by default.</value>
    public TimeSpan RenewalInterval { get; }

    /// <summary>How long before its end in the store the holder is told that the lease is lost.</summary>
    /// <value>A fifth of <see cref="Duration"/> by default.</value>
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
    /// How the lock differs. Another <see cref="LockOptions.LeaseDuration"/> keeps the proportions of the interval and the margin. Null for not at all.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    public static LeaseTimings Of(CoordinationOptions options, LockOptions? lockOptions = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var timings = new LeaseTimings(
            options.LeaseDuration,
            options.RenewalInterval ?? options.LeaseDuration / 3,
            options.SafetyMargin ?? options.LeaseDuration / 5);
        return timings.For(lockOptions);
    }

    /// <summary>The same proportions for a lock that may have another duration.</summary>
    internal LeaseTimings For(LockOptions? lockOptions) => lockOptions?.LeaseDuration is not { } duration || duration == Duration
        ? this
        : new(duration, RenewalInterval * (duration / Duration), SafetyMargin * (duration / Duration));
}
