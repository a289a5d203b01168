namespace FlashSale.Rounds;

/// <summary>One way to hold the sale.</summary>
/// <param name="Number">By which the text refers to it.</param>
/// <param name="Title">In a few words.</param>
/// <param name="Kind">How the stock is kept from being sold twice.</param>
/// <param name="Incident">What happens to one holder.</param>
/// <param name="MustBeExact">Whether each item has to be sold once; else the round is there to show that it is not.</param>
/// <param name="Segments">In how many parts the stock is kept, each with a lock of its own.</param>
internal sealed record Round(string Number, string Title, RoundKind Kind, Incident Incident, bool MustBeExact, int Segments = 1)
{
    /// <summary>Held before the others and not counted, so that none of them pays for being the first.</summary>
    public static readonly IReadOnlyList<Round> Rehearsals =
    [
        new("0a", "rehearsal", RoundKind.FencedLease, Incident.None, MustBeExact: true, Segments: 10),
        new("0b", "rehearsal", RoundKind.Countdown, Incident.None, MustBeExact: true),
    ];

    public static readonly IReadOnlyList<Round> All =
    [
        new("1", "no lock", RoundKind.NoLock, Incident.None, MustBeExact: false),
        new("2a", "basic lock, DEL; a holder paused", RoundKind.BasicLock, Incident.Pause, MustBeExact: false),
        new("2b", "basic lock, DEL if own; a holder paused", RoundKind.BasicLockOwnDeletion, Incident.Pause, MustBeExact: false),
        new("3a", "Coordination", RoundKind.Lease, Incident.None, MustBeExact: true),
        new("3b", "Coordination; a payment longer than the lease", RoundKind.Lease, Incident.SlowPayment, MustBeExact: true),
        new("4a", "Coordination; a holder paused", RoundKind.Lease, Incident.Pause, MustBeExact: false),
        new("4b", "Coordination, fenced; a holder paused", RoundKind.FencedLease, Incident.Pause, MustBeExact: true),
        new("5", "Coordination, 10 segments", RoundKind.Lease, Incident.None, MustBeExact: true, Segments: 10),
        new("6", "no lock, one Lua script", RoundKind.Countdown, Incident.None, MustBeExact: true),
        new("7a", "PostgreSQL; a holder paused", RoundKind.LeaseInPostgres, Incident.Pause, MustBeExact: false),
        new("7b", "PostgreSQL, guarded; a holder paused", RoundKind.GuardedLease, Incident.Pause, MustBeExact: true),
        new("7c", "PostgreSQL, guarded; a holder paused in its transaction", RoundKind.GuardedLease, Incident.PauseInTransaction, MustBeExact: true),
    ];

    /// <summary>Whether lock and stock are in PostgreSQL; else in Redis.</summary>
    public bool IsInPostgres => Kind is RoundKind.LeaseInPostgres or RoundKind.GuardedLease;

    /// <summary>Whether the round is only passed when the stock, or the database, refused a late write.</summary>
    public bool MustRefuse => Kind is RoundKind.FencedLease or RoundKind.GuardedLease && Incident != Incident.None;
}
