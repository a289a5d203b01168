using Coordination.Stores;

namespace Coordination.PostgreSql.Transactions;

/// <summary>What columns hold of a grant: all that a renewal looks at and changes.</summary>
/// <param name="Token">The token of the grant.</param>
/// <param name="Owner">Who has it.</param>
/// <param name="RenewedAt">When the end was set.</param>
/// <param name="LastsUntil">When it runs out.</param>
internal readonly record struct GrantColumns(long Token, string Owner, DateTimeOffset RenewedAt, DateTimeOffset LastsUntil)
{
    public static GrantColumns Of(LockGrant grant) => new(grant.FencingToken, grant.Owner.ToString(), grant.RenewedAt, grant.LastsUntil);

    /// <summary>Whether columns alone say that it is its owner's: it was claimed, and is not released. Of any other a renewal changes more than its end.</summary>
    public static bool IsHeld(LockGrant grant) => grant is { IsClaimed: true, IsReleased: false };

    /// <summary>The entry that may shorten the lease, being the only one; null where there are several.</summary>
    public static long? OnlyEntry(LockGrant grant) => grant.Entries is [var only] ? only : null;
}
