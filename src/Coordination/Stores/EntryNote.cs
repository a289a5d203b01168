namespace Coordination.Stores;

/// <summary>What an entry of a grant says of itself: a part of <see cref="LockGrant"/>.</summary>
public sealed record EntryNote
{
    /// <summary>The entry.</summary>
    public required long Entry { get; init; }

    /// <summary>What it says of itself: <see cref="AcquireRequest.Note"/>.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>The <see cref="AcquireRequest.Rank"/> of the entry.</summary>
    /// <value>Zero by default.</value>
    public long Rank { get; init; }

    /// <summary>What a request says; null where that is nothing.</summary>
    internal static EntryNote? Of(long entry, string? note, long rank) =>
        string.IsNullOrEmpty(note) && rank == 0 ? null : new EntryNote { Entry = entry, Note = note is { Length: > 0 } ? note : null, Rank = rank };
}
