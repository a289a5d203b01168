using Coordination.Time;

namespace Coordination.Leases;

/// <summary>
/// Until when a lease can be relied on, as moments on the holder's monotonic clock. A value: a confirmed renewal gives another one, and readers need no lock.
/// </summary>
/// <param name="ConfirmedAt">
/// The moment before the last confirmed acquisition or renewal was sent. What the store counts began no earlier, whenever its reply came.
/// </param>
/// <param name="Timings">How long the store counts, and how long before that the holder is told.</param>
internal readonly record struct Deadline(ClockReading ConfirmedAt, LeaseTimings Timings)
{
    /// <summary>When a lease that a suspension brought in doubt is lost, unless it is renewed before; null while none did.</summary>
    public TimeSpan? DoubtEndsAt { get; init; }

    /// <summary>When the lease is lost.</summary>
    public TimeSpan LostAt => DoubtEndsAt is { } end && end < UndoubtedLostAt ? end : UndoubtedLostAt;

    /// <summary>When the store may grant the lock to another: no earlier than this.</summary>
    public TimeSpan LapsesAt => ConfirmedAt.Uptime + Timings.Duration;

    /// <summary>When the lease is renewed.</summary>
    public TimeSpan RenewedAt => ConfirmedAt.Uptime + Timings.RenewalInterval;

    /// <summary>How long the lease can still be relied on; zero when it is lost.</summary>
    public TimeSpan RemainingAt(TimeSpan now) => LostAt > now ? LostAt - now : TimeSpan.Zero;

    /// <summary>Whether the machine was suspended since for longer than the margin makes up for: then it proves nothing until the lease is renewed.</summary>
    public bool IsDoubtfulAt(ClockReading now) => ConfirmedAt.SuspendedUntil(now) > Timings.SafetyMargin;

    /// <summary>
    /// The same, in doubt: the machine was suspended. The lock may have passed to another meanwhile, so whoever does not learn otherwise within the margin is
    /// told that it is lost, also when the store is not in reach, as right after a machine wakes.
    /// </summary>
    public Deadline DoubtedAt(TimeSpan now) => this with { DoubtEndsAt = now + Timings.SafetyMargin };

    /// <summary>Whether it proves more than another one.</summary>
    public bool IsLaterThan(Deadline other) => ConfirmedAt.Uptime > other.ConfirmedAt.Uptime;

    private TimeSpan UndoubtedLostAt => ConfirmedAt.Uptime + Timings.Duration - Timings.SafetyMargin;
}
