namespace Coordination;

/// <summary>How the leases of one lock differ from the node's defaults in <see cref="CoordinationOptions"/>.</summary>
public sealed record LockOptions
{
    /// <summary>
    /// How long a grant lasts with no renewal: 100 ms to 1 day. Null, the default, for <see cref="CoordinationOptions.LeaseDuration"/>.
    /// Renewal interval and safety margin keep their proportions to it. Nodes may use different values for the same lock; the holder's counts.
    /// </summary>
    public TimeSpan? LeaseDuration { get; init; }

    /// <summary>
    /// How long after its grant a lease is renewed at most; it is lost when the deadline after the last renewal comes. Greater than
    /// zero. Null, the default, for as long as it is not released.
    /// </summary>
    public TimeSpan? MaxHold { get; init; }
}
