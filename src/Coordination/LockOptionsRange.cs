namespace Coordination;

/// <summary>What the options of a lock may be.</summary>
internal static class LockOptionsRange
{
    /// <summary>The longest time that a lease is renewed for, where there is a limit: a year.</summary>
    private static readonly TimeSpan MaxMaxHold = TimeSpan.FromDays(365);

    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names the value and the limit.</exception>
    public static void Validate(LockOptions? options)
    {
        LeaseTimings.Validate(options);
        if (options?.LockAtLeastFor is { } atLeast && (atLeast <= TimeSpan.Zero || atLeast > LeaseTimings.MaxDuration))
        {
            throw new ArgumentOutOfRangeException(nameof(options), atLeast, $"LockAtLeastFor is greater than zero and at most {LeaseTimings.MaxDuration}, or null for not at all.");
        }

        if (options?.MaxHold is { } hold && (hold <= TimeSpan.Zero || hold > MaxMaxHold))
        {
            throw new ArgumentOutOfRangeException(nameof(options), hold, $"MaxHold is greater than zero and at most {MaxMaxHold}, or null for no limit.");
        }
    }
}
