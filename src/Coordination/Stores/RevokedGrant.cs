namespace Coordination.Stores;

/// <summary>A grant that an operator revoked: a part of <see cref="LockState"/>.</summary>
public sealed record RevokedGrant
{
    /// <summary>The token of the grant.</summary>
    public required long FencingToken { get; init; }

    /// <summary>Until when its holder is told so: the end of the lease that it had.</summary>
    public required DateTimeOffset Until { get; init; }
}
