namespace Coordination.PostgreSql.Transactions;

/// <summary>
/// What a row holds of a lock beside its columns, as JSON. Every release reads what the one before it wrote: members are added with a default that means what their
/// absence meant, and never renamed. Moments are microseconds since 1970, durations have no place in it.
/// </summary>
internal sealed class LockDocument
{
    /// <summary>What the lock is used as: nothing for an exclusive one.</summary>
    public string? Capacity { get; set; }

    public GrantPart[]? Grants { get; set; }

    public WaiterPart[]? Waiters { get; set; }

    public RevokedPart[]? Revoked { get; set; }

    public OccurrencePart[]? Occurrences { get; set; }

    /// <summary>Who has a grant and until when is in the columns.</summary>
    internal sealed class GrantPart
    {
        public long Token { get; set; }

        public long Since { get; set; }

        public bool Claimed { get; set; }

        public bool Released { get; set; }

        public long[]? Entries { get; set; }

        public NotePart[]? Notes { get; set; }

        public string? Share { get; set; }

        public int? Permit { get; set; }

        public string? Series { get; set; }

        public string? Run { get; set; }
    }

    internal sealed class NotePart
    {
        public long Entry { get; set; }

        public string? Note { get; set; }

        public long Rank { get; set; }
    }

    internal sealed class WaiterPart
    {
        public string Owner { get; set; } = "";

        public long Entry { get; set; }

        public long Since { get; set; }

        public long Alive { get; set; }

        public string? Share { get; set; }

        public string? Note { get; set; }

        public long Rank { get; set; }
    }

    internal sealed class RevokedPart
    {
        public long Token { get; set; }

        public long Until { get; set; }
    }

    internal sealed class OccurrencePart
    {
        /// <summary>Nothing for one that is a part of another of the same series.</summary>
        public string? Series { get; set; }

        public long Time { get; set; }

        public string? Run { get; set; }

        public bool Finished { get; set; }

        public OccurrencePart[]? Earlier { get; set; }

        public long? Floor { get; set; }

        public long Forget { get; set; }
    }
}
