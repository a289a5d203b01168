using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>
/// The last occurrence of a series that a lock was granted for, and for those who share the lock the ones before it: a part of <see cref="LockState"/>.
/// </summary>
public sealed record LastOccurrence
{
    /// <summary>Tells the series of a lock apart.</summary>
    public required string Series { get; init; }

    /// <summary>When it was scheduled for, in microseconds since 1970.</summary>
    public required long Time { get; init; }

    /// <summary>Who has or had it.</summary>
    /// <value>Null, the default, when another run may have it: the one that began it released the lock with nothing done.</value>
    public string? Run { get; init; }

    /// <summary>Whether it was run to its end.</summary>
    /// <value>False by default.</value>
    public bool IsFinished { get; init; }

    /// <summary>Occurrences of the series that are earlier than this one, and judged each by itself where a <see cref="LockShare"/> is asked for.</summary>
    /// <value>In the order of their times. Empty by default.</value>
    public ImmutableArray<EarlierOccurrence> Earlier { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The latest time that is not remembered any more, in microseconds since 1970: of those up to it, the ones that are not remembered count as run.</summary>
    /// <value>Null, the default, after an exclusive lock, which remembers the last one only: then it is the <see cref="Time"/>.</value>
    public long? Floor { get; init; }

    /// <summary>When all of the series is forgotten.</summary>
    public required DateTimeOffset ForgottenAt { get; init; }
}
