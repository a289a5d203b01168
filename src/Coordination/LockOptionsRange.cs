namespace Coordination;

/// <summary>What the options of a lock may be.</summary>
internal static class LockOptionsRange
{
    private static readonly DurationRange LockAtLeastFor = DurationRange.UpTo(LeaseTimings.MaxDuration, "null for not at all");

    /// <summary>The longest time that a lease is renewed for, where there is a limit, is a year.</summary>
    private static readonly DurationRange MaxHold = DurationRange.UpTo(TimeSpan.FromDays(365), "null for no limit");

    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names the value and the limit.</exception>
    public static void Validate(LockOptions? options)
    {
        LeaseTimings.Validate(options);
        LockAtLeastFor.Validate(nameof(options), nameof(options.LockAtLeastFor), options?.LockAtLeastFor);
        MaxHold.Validate(nameof(options), nameof(options.MaxHold), options?.MaxHold);
    }
}
