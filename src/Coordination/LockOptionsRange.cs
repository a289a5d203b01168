using System.Text;

namespace Coordination;

/// <summary>What the options of a lock may be.</summary>
internal static class LockOptionsRange
{
    /// <summary>Checks what is wanted of a lock that several may hold at a time, and what such a lock cannot have.</summary>
    /// <param name="name">The lock.</param>
    /// <param name="share">What is wanted.</param>
    /// <param name="options">How its leases differ from the node's defaults.</param>
    public static void ValidateShared(string name, LockShare share, LockOptions? options)
    {
        var isValid = share.Kind switch
        {
            LockShareKind.Permit => share.Capacity is { Kind: LockCapacityKind.Semaphore, Permits: >= 1 and <= LockCapacity.MaxPermits },
            LockShareKind.Read or LockShareKind.UpgradeableRead or LockShareKind.Write => share.Capacity == LockCapacity.ReaderWriter,
            LockShareKind.Upgrade => share.Capacity == LockCapacity.ReaderWriter && share.Reader is not null,
            _ => false,
        };
        if (!isValid)
        {
            throw new ArgumentException($"{share} is no share of a lock: use {nameof(LockShare.PermitOf)}, {nameof(LockShare.UpgradeOf)} or a property of {nameof(LockShare)}.", nameof(share));
        }

        if (options is { AllowBarging: true })
        {
            throw new ArgumentException(
                $"{nameof(LockOptions)}.{nameof(LockOptions.AllowBarging)} is true for '{name}', which several may hold at a time. Only an exclusive lock may prefer throughput to order: set it to false.", nameof(options));
        }
    }

    private static readonly DurationRange LockAtLeastFor = DurationRange.UpTo(LeaseTimings.MaxDuration, "null for not at all");

    /// <summary>The longest time that a lease is renewed for, where there is a limit, is a year.</summary>
    private static readonly DurationRange MaxHold = DurationRange.UpTo(TimeSpan.FromDays(365), "null for no limit");

    private const int MaxNoteBytes = 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static string? FindNoteError(string? note)
    {
        if (string.IsNullOrEmpty(note))
        {
            return null;
        }

        foreach (var c in note)
        {
            if (char.IsControl(c))
            {
                return $"{nameof(LockOptions.Note)} has the control character U+{(int)c:X4}. Remove it.";
            }
        }

        try
        {
            return Strict.GetByteCount(note) is > MaxNoteBytes and var bytes ? $"{nameof(LockOptions.Note)} has {bytes} bytes of UTF-8. Set one of {MaxNoteBytes} bytes at most, or null for none." : null;
        }
        catch (EncoderFallbackException)
        {
            return $"{nameof(LockOptions.Note)} has half a surrogate pair, which is no valid Unicode. Set another, or null for none.";
        }
    }

    /// <exception cref="ArgumentException">An option is out of its range; the message names the value and the limit.</exception>
    public static void Validate(LockOptions? options)
    {
        LeaseTimings.Validate(options);
        LockAtLeastFor.Validate(nameof(options), nameof(options.LockAtLeastFor), options?.LockAtLeastFor);
        MaxHold.Validate(nameof(options), nameof(options.MaxHold), options?.MaxHold);
        if (FindNoteError(options?.Note) is { } error)
        {
            throw new ArgumentException(error, nameof(options));
        }
    }
}
