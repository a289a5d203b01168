namespace Coordination.Stores;

/// <summary>A grant by which transactions are to be guarded.</summary>
public sealed record GuardRequest
{
    /// <summary>The lock.</summary>
    /// <value>A name that was checked.</value>
    public required string LockName { get; init; }

    /// <summary>Who holds it.</summary>
    public required LockOwner Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long FencingToken { get; init; }

    /// <summary>How long the grant lasts with no renewal.</summary>
    public required TimeSpan LeaseDuration { get; init; }
}
