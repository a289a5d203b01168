namespace Coordination;

/// <summary>What is wanted or held of a lock that several may hold at a time. Of an exclusive lock there is no share.</summary>
public sealed record LockShare
{
    /// <summary>To read, beside others who read.</summary>
    public static LockShare Read { get; } = new() { Kind = LockShareKind.Read, Capacity = LockCapacity.ReaderWriter };

    /// <summary>To read, beside others who read, as the one of them that may go on to write.</summary>
    public static LockShare UpgradeableRead { get; } = new() { Kind = LockShareKind.UpgradeableRead, Capacity = LockCapacity.ReaderWriter };

    /// <summary>To write, with nobody beside.</summary>
    public static LockShare Write { get; } = new() { Kind = LockShareKind.Write, Capacity = LockCapacity.ReaderWriter };

    /// <summary>The kind.</summary>
    public required LockShareKind Kind { get; init; }

    /// <summary>The capacity that the lock has to have.</summary>
    public required LockCapacity Capacity { get; init; }

    /// <summary>For <see cref="LockShareKind.Upgrade"/>, who holds the upgradeable read.</summary>
    /// <value>Null for the other kinds.</value>
    public LockOwner? Reader { get; init; }

    /// <summary>Whether some that want the lock in another way fit beside it, and others do not: then one that waits and does not fit keeps out others that would.</summary>
    internal bool FitsBesideSome => Kind is LockShareKind.Read or LockShareKind.UpgradeableRead;

    /// <summary>One of the permits of a semaphore.</summary>
    /// <param name="permits">How many the semaphore has: 1 to <see cref="LockCapacity.MaxPermits"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not in its range.</exception>
    public static LockShare PermitOf(int permits) => new() { Kind = LockShareKind.Permit, Capacity = LockCapacity.Semaphore(permits) };

    /// <summary>To write, with nobody beside but an upgradeable read.</summary>
    /// <param name="reader">Who holds that.</param>
    /// <exception cref="ArgumentNullException"><paramref name="reader"/> is null.</exception>
    public static LockShare UpgradeOf(LockOwner reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return new LockShare { Kind = LockShareKind.Upgrade, Capacity = LockCapacity.ReaderWriter, Reader = reader };
    }
}
