namespace Coordination;

/// <summary>What the options of a lock may be.</summary>
internal static class LockOptionsRange
{
    private static readonly DurationRange LeaseDuration = DurationRange.Between(LeaseTimings.MinDuration, LeaseTimings.MaxDuration, "null for that of the node");

    private static readonly DurationRange LockAtLeastFor = DurationRange.UpTo(LeaseTimings.MaxDuration, "null for not at all");

    /// <summary>The longest time that a lease is renewed for, where there is a limit, is a year.</summary>
    private static readonly DurationRange MaxHold = DurationRange.UpTo(TimeSpan.FromDays(365), "null for no limit");

    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names the value and the limit.</exception>
    public static void Validate(LockOptions? options)
    {
        ValidateLease(options);
        LockAtLeastFor.Validate(nameof(options), nameof(options.LockAtLeastFor), options?.LockAtLeastFor);
        MaxHold.Validate(nameof(options), nameof(options.MaxHold), options?.MaxHold);
    }

    /// <exception cref="ArgumentOutOfRangeException">The lease duration is out of its range; the message names the value and the limit.</exception>
    public static void ValidateLease(LockOptions? options) =>
        LeaseDuration.Validate(nameof(options), nameof(options.LeaseDuration), options?.LeaseDuration);
}
