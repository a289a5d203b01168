namespace Coordination.Telemetry;

/// <summary>Who waits for a lock.</summary>
internal enum CallKind
{
    /// <summary>A call of user code, which goes on when it has the lock or its time is up.</summary>
    User,

    /// <summary>What stands by for as long as the process lives.</summary>
    Standby,
}
