namespace Coordination.Stores;

/// <summary>What a store found of a <see cref="ScheduledFire"/>.</summary>
public enum FireStatus
{
    /// <summary>Nobody has run it; or none was asked for.</summary>
    None,

    /// <summary>It is the request's to run.</summary>
    Taken,

    /// <summary>It is the request's to run, in place of a run that was begun and not finished.</summary>
    MadeUp,

    /// <summary>It was run, or a later one of its series was; the lock is not granted.</summary>
    AlreadyRun,

    /// <summary>It was begun and not finished, and the lock is held: whoever gets the lock next may make it up.</summary>
    Running,
}
