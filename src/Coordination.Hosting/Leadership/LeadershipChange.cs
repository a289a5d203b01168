namespace Coordination;

/// <summary>The leadership of a service as it is from one moment on, as this node sees it.</summary>
public sealed record LeadershipChange
{
    /// <summary>The name of the service's lock.</summary>
    public required string LockName { get; init; }

    /// <summary>Whether this node leads.</summary>
    public required bool IsLeader { get; init; }

    /// <summary>Who leads.</summary>
    /// <value>Null, the default, when nobody does, or it is not known.</value>
    public LeaderInfo? Leader { get; init; }

    /// <summary>Why it changed.</summary>
    /// <value><see cref="LeadershipChangeCause.None"/> by default.</value>
    public LeadershipChangeCause Cause { get; init; }

    /// <summary>When this node saw it change, on its wall clock.</summary>
    public required DateTimeOffset At { get; init; }
}
