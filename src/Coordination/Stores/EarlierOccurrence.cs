namespace Coordination.Stores;

/// <summary>An occurrence beside which a later one of its series has begun: a part of <see cref="LastOccurrence"/>.</summary>
public sealed record EarlierOccurrence
{
    /// <summary>When it was scheduled for, in microseconds since 1970.</summary>
    public required long Time { get; init; }

    /// <inheritdoc cref="LastOccurrence.Run"/>
    public string? Run { get; init; }

    /// <inheritdoc cref="LastOccurrence.IsFinished"/>
    public bool IsFinished { get; init; }
}
