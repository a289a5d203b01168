namespace Coordination.Stores;

/// <summary>The last occurrence of a series that a lock was granted for: a part of <see cref="LockState"/>.</summary>
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

    /// <summary>When it is forgotten.</summary>
    public required DateTimeOffset ForgottenAt { get; init; }
}
