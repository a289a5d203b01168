using System.Globalization;

namespace Coordination;

/// <summary>How many may hold a lock at a time, and in which way. All who use a name at the same time use it with the same capacity.</summary>
public sealed record LockCapacity
{
    /// <summary>The most permits that a semaphore may have.</summary>
    /// <value>10,000.</value>
    public const int MaxPermits = 10_000;

    /// <summary>One holder at a time.</summary>
    public static LockCapacity Exclusive { get; } = new() { Kind = LockCapacityKind.Exclusive, Permits = 1 };

    /// <summary>Many who read, or one who writes.</summary>
    public static LockCapacity ReaderWriter { get; } = new() { Kind = LockCapacityKind.ReaderWriter };

    /// <summary>The kind.</summary>
    public required LockCapacityKind Kind { get; init; }

    /// <summary>How many may hold the lock at a time.</summary>
    /// <value>1 for an exclusive lock, 1 to <see cref="MaxPermits"/> for a semaphore, and zero, for any number, for readers and writers.</value>
    public int Permits { get; init; }

    /// <summary>Up to a number of holders at a time.</summary>
    /// <param name="permits">The number: 1 to <see cref="MaxPermits"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not in its range.</exception>
    public static LockCapacity Semaphore(int permits) => permits is >= 1 and <= MaxPermits
        ? new LockCapacity { Kind = LockCapacityKind.Semaphore, Permits = permits }
        : throw new ArgumentOutOfRangeException(nameof(permits), permits, string.Create(CultureInfo.InvariantCulture, $"A semaphore has 1 to {MaxPermits} permits, and not {permits}. Set a number in this range."));

    /// <summary>What it is called in a sentence, such as <c>a semaphore of 3 permits</c>.</summary>
    public override string ToString() => Kind switch
    {
        LockCapacityKind.Exclusive => "an exclusive lock",
        LockCapacityKind.Semaphore => string.Create(CultureInfo.InvariantCulture, $"a semaphore of {Permits} {(Permits == 1 ? "permit" : "permits")}"),
        _ => "a reader-writer lock",
    };
}
