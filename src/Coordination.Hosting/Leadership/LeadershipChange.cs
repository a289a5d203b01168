namespace Coordination;

/// <summary>The leadership of a service as it is from one moment on, as this node sees it.</summary>
/// <param name="LockName">The name of the service's lock.</param>
/// <param name="IsLeader">Whether this node leads.</param>
/// <param name="Leader">Who leads; null when nobody does, or it is not known.</param>
public sealed record LeadershipChange(string LockName, bool IsLeader, LeaderInfo? Leader);
