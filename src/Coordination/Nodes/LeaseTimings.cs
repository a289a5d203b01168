namespace Coordination.Nodes;

/// <summary>The three durations of a lease, which only make sense together.</summary>
/// <param name="Duration">How long a grant lasts in the store with no renewal.</param>
/// <param name="RenewalInterval">How often it is renewed.</param>
/// <param name="SafetyMargin">How long before its end in the store the holder is told that it is lost.</param>
internal sealed record LeaseTimings(TimeSpan Duration, TimeSpan RenewalInterval, TimeSpan SafetyMargin)
{
    public static readonly TimeSpan MinDuration = TimeSpan.FromMilliseconds(100);

    public static readonly TimeSpan MaxDuration = TimeSpan.FromDays(1);

    /// <summary>
    /// How long one call to the store may take: half an interval, so that a call that hangs leaves time for another one before
    /// the next renewal would have been due.
    /// </summary>
    public TimeSpan CallLimit => RenewalInterval / 2;

    /// <summary>How long after a failed renewal the next one is sent.</summary>
    public TimeSpan RetryInterval => RenewalInterval / 10;

    /// <summary>Leases whose renewals are due within this time of each other are renewed in one call.</summary>
    public TimeSpan BatchingWindow => RenewalInterval / 10;

    public static LeaseTimings From(CoordinationOptions options) => new(
        options.LeaseDuration,
        options.RenewalInterval ?? options.LeaseDuration / 3,
        options.SafetyMargin ?? options.LeaseDuration / 5);

    /// <summary>The same proportions for another duration.</summary>
    public LeaseTimings Scale(TimeSpan duration) =>
        duration == Duration ? this : new(duration, RenewalInterval * (duration / Duration), SafetyMargin * (duration / Duration));
}
