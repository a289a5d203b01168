namespace Coordination.Locks;

/// <summary>What the options of a lock may be.</summary>
internal static class LockOptionsRange
{
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range; the message names the value and the limit.</exception>
    public static void Validate(LockOptions? options)
    {
        if (options?.LeaseDuration is { } duration && (duration < LeaseTimings.MinDuration || duration > LeaseTimings.MaxDuration))
        {
            throw new ArgumentOutOfRangeException(nameof(options), duration, $"A lease duration is from {LeaseTimings.MinDuration} to {LeaseTimings.MaxDuration}.");
        }

        if (options?.LockAtLeastFor is { } atLeast && (atLeast <= TimeSpan.Zero || atLeast > LeaseTimings.MaxDuration))
        {
            throw new ArgumentOutOfRangeException(nameof(options), atLeast, $"LockAtLeastFor is greater than zero and at most {LeaseTimings.MaxDuration}, or null for not at all.");
        }

        if (options?.MaxHold is { } hold && hold <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(options), hold, "MaxHold is greater than zero, or null for no limit.");
        }
    }
}
