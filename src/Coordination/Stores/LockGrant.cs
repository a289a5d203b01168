using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>Who has a lock, and until when: a part of <see cref="LockState"/>.</summary>
public sealed record LockGrant
{
    /// <summary>Who has it.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long FencingToken { get; init; }

    /// <summary>When it was granted or handed over.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When <see cref="LastsUntil"/> was set.</summary>
    public required DateTimeOffset RenewedAt { get; init; }

    /// <summary>When it runs out, unless it is renewed.</summary>
    public required DateTimeOffset LastsUntil { get; init; }

    /// <summary>Whether its owner asked for it since it has it; else it was handed over, and lasts for the claim window.</summary>
    /// <value>False by default.</value>
    public bool IsClaimed { get; init; }

    /// <summary>Whether its owner released it, and the lock is granted to nobody for the rest of <see cref="ReleaseRequest.LockAtLeastFor"/>.</summary>
    /// <value>False by default.</value>
    public bool IsReleased { get; init; }

    /// <summary>The entries by which the owner holds it.</summary>
    /// <value>Empty, the default, when it was released. That of the wait that it was handed over to, while it is not claimed.</value>
    public ImmutableArray<long> Entries { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What those entries say of themselves that say anything, in their order: what is shown is what the first of them says.</summary>
    /// <value>Empty by default.</value>
    public ImmutableArray<EntryNote> Notes { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What it is of a lock that several may hold at a time.</summary>
    /// <value>Null, the default, for an exclusive lock.</value>
    public LockShare? Share { get; init; }

    /// <summary>The number of the permit.</summary>
    /// <value>Null, the default, for a lock that is no semaphore.</value>
    public int? Permit { get; init; }

    /// <summary>The series of the <see cref="Occurrence"/> that it was granted for last: for as long as it lasts, nobody recovers that run.</summary>
    /// <value>Null, the default, for none, and for an exclusive lock, which nobody else has meanwhile.</value>
    public string? Series { get; init; }

    /// <summary>The run of that occurrence.</summary>
    /// <value>Null, the default, where there is no <see cref="Series"/>.</value>
    public string? Run { get; init; }

    internal bool IsHeldBy(LockOwner owner) => !IsReleased && Owner == owner;

    /// <summary>The owner asked for it: by an entry that it has already, or by one more. The wait that it was handed over to may hold it already, so its entry stays.</summary>
    internal LockGrant Enter(AcquireRequest request, DateTimeOffset now) => Renew(now, request.LeaseDuration) switch
    {
        var renewed when Entries.Contains(request.Entry) => renewed,
        var renewed => renewed with { Entries = Entries.Add(request.Entry), Notes = WithNote(EntryNote.Of(request.Entry, request.Note, request.Rank)) },
    };

    /// <summary>As it is from its beginning.</summary>
    internal LockGrant By(long entry, string? note, long rank) => this with { Entries = [entry], Notes = WithNote(EntryNote.Of(entry, note, rank)) };

    internal LockGrant Without(long entry) => this with { Entries = Entries.Remove(entry), Notes = Notes.IsEmpty ? Notes : Notes.RemoveAll(note => note.Entry == entry) };

    /// <summary>
    /// Never shortens the lease that the owner has, but for the claim window, which gives way to the lease proper, and for what an entry asked for that was left since: the
    /// only one that there is counts on no more than it asks.
    /// </summary>
    internal LockGrant Renew(DateTimeOffset now, TimeSpan lease, bool mayShorten = false)
    {
        var until = now.After(lease);
        return IsClaimed && !mayShorten && LastsUntil > until ? this : this with { RenewedAt = now, LastsUntil = until, IsClaimed = true };
    }

    /// <summary>
    /// As it is at a moment. With a clock that was set back it would last for the lease and the step, with nobody to end it: it lasts for
    /// as long as it did when the clock was read last.
    /// </summary>
    internal LockGrant At(DateTimeOffset now) => RenewedAt <= now ? this : this with { RenewedAt = now, LastsUntil = now.After(LastsUntil - RenewedAt) };

    private ImmutableArray<EntryNote> WithNote(EntryNote? note) => note is null ? Notes : Notes.Add(note);

    internal LockHolder Describe(DateTimeOffset now) => new()
    {
        Owner = Owner,
        FencingToken = FencingToken,
        Since = Since,
        TimeToLive = LastsUntil - now,
        IsReleased = IsReleased,
        Share = Share,
        Permit = Permit,
        Note = Notes is [{ } first, ..] ? first.Note : null,
        Rank = Notes is [{ } same, ..] ? same.Rank : 0,
    };
}
