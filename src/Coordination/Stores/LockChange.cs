using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>What comes of a request, by <see cref="LockProtocol"/>.</summary>
/// <typeparam name="TReply">The kind of reply.</typeparam>
public readonly record struct LockChange<TReply>
{
    /// <summary>The lock from now on. Equal to what it was where nothing changed, and there is nothing to write.</summary>
    public required LockState State { get; init; }

    /// <summary>What to reply.</summary>
    public required TReply Reply { get; init; }

    /// <summary>What to tell, in this order, once the state is written. Each is for the node of its owner.</summary>
    /// <value>Empty by default.</value>
    public ImmutableArray<LockNotification> Notifications { get => field.IsDefault ? [] : field; init; }
}
