namespace Coordination.Stores;

/// <summary>The store's reply to an <see cref="AcquireRequest"/>.</summary>
public sealed record AcquireReply
{
    /// <summary>Nothing of it is in the grant of an exclusive lock, which most replies are and which waits for no more than its call.</summary>
    private readonly Details? _rest;

    /// <summary>The token of the grant.</summary>
    /// <value>Null, the default, when the lock was not granted.</value>
    public long? FencingToken { get; init; }

    /// <summary>Who holds the lock.</summary>
    /// <value>Null, the default, when it was granted, and when the occurrence was run already.</value>
    public LockHolder? Holder
    {
        get => _rest?.Holder;
        init => _rest = OrNone(Known with { Holder = value });
    }

    /// <summary>How many waiters stand before the owner in the queue.</summary>
    /// <value>Zero, the default, when granted or not queued.</value>
    public int WaitersBefore
    {
        get => _rest?.WaitersBefore ?? 0;
        init => _rest = OrNone(Known with { WaitersBefore = value });
    }

    /// <summary>The store's time when it refused the lock.</summary>
    /// <value>
    /// Null, the default, when it was granted, and where the store does not tell: a lock that is handed over later is claimed before it is held.
    /// </value>
    public DateTimeOffset? StoreTime
    {
        get => _rest?.StoreTime;
        init => _rest = OrNone(Known with { StoreTime = value });
    }

    /// <summary>Which of the store's clocks <see cref="StoreTime"/> is of: the times of two of them say nothing of each other.</summary>
    /// <value>Zero, the default, of a store with one clock. Another number where another server may have taken the place of the one that was asked.</value>
    public long StoreClock
    {
        get => _rest?.StoreClock ?? 0;
        init => _rest = OrNone(Known with { StoreClock = value });
    }

    /// <summary>The token of the last grant of a lock that several may hold at a time: a waiter that was the first one learns by it that its turn came, and that it missed it.</summary>
    /// <value>Null, the default, when it was granted, and for an exclusive lock, whose holder has it.</value>
    public long? LastToken
    {
        get => _rest?.LastToken;
        init => _rest = OrNone(Known with { LastToken = value });
    }

    /// <summary>The number of the permit.</summary>
    /// <value>Null, the default, when it was not granted, and for a lock that is no semaphore.</value>
    public int? Permit
    {
        get => _rest?.Permit;
        init => _rest = OrNone(Known with { Permit = value });
    }

    /// <summary>What others use the name as, where that is why it was refused: they hold it or wait for it with another capacity.</summary>
    /// <value>Null, the default, where it is used as was asked, or not at all.</value>
    public LockCapacity? InUseAs
    {
        get => _rest?.InUseAs;
        init => _rest = OrNone(Known with { InUseAs = value });
    }

    /// <summary>Whether an upgrade was refused because its <see cref="LockShare.Reader"/> holds no upgradeable read, or none any more.</summary>
    /// <value>False by default.</value>
    public bool HasNothingToUpgrade
    {
        get => _rest?.HasNothingToUpgrade ?? false;
        init => _rest = OrNone(Known with { HasNothingToUpgrade = value });
    }

    /// <summary>What was found of the occurrence that was asked for.</summary>
    /// <value><see cref="OccurrenceStatus.None"/> by default.</value>
    public OccurrenceStatus OccurrenceStatus { get; init; }

    /// <summary>The run that has or had the occurrence; of one that counts as run and is not remembered, that of the last one of its series.</summary>
    /// <value>Null, the default, where there is none, or it is the request's own.</value>
    public string? OccurrenceRun { get; init; }

    /// <summary>Whether the lock is the owner's.</summary>
    public bool IsGranted => FencingToken is not null;

    /// <summary>The lock is the owner's.</summary>
    /// <param name="fencingToken">The token of the grant.</param>
    public static AcquireReply Granted(long fencingToken) => new() { FencingToken = fencingToken };

    /// <summary>The lock is another's.</summary>
    /// <param name="holder">Who holds it.</param>
    /// <param name="waitersBefore">How many waiters stand before the owner in the queue; zero when it is not queued.</param>
    public static AcquireReply Refused(LockHolder holder, int waitersBefore) => new() { Holder = holder, WaitersBefore = waitersBefore };

    /// <summary>The occurrence was run, or counts as run, so the lock is not granted.</summary>
    /// <param name="run">The run that has or had it; null where that is not known.</param>
    public static AcquireReply AlreadyRun(string? run) => new() { OccurrenceStatus = OccurrenceStatus.AlreadyRun, OccurrenceRun = run };

    private Details Known => _rest ?? Details.None;

    /// <summary>So that equal replies are equal, however they came about.</summary>
    private static Details? OrNone(Details rest) => rest == Details.None ? null : rest;

    private sealed record Details
    {
        public static readonly Details None = new();

        public LockHolder? Holder { get; init; }

        public int WaitersBefore { get; init; }

        public DateTimeOffset? StoreTime { get; init; }

        public long StoreClock { get; init; }

        public long? LastToken { get; init; }

        public int? Permit { get; init; }

        public LockCapacity? InUseAs { get; init; }

        public bool HasNothingToUpgrade { get; init; }
    }
}
