namespace Coordination.Stores;

/// <summary>What a store found of an <see cref="Occurrence"/>.</summary>
public enum OccurrenceStatus
{
    /// <summary>Nobody has run it; or none was asked for.</summary>
    None,

    /// <summary>It is the request's to run.</summary>
    Started,

    /// <summary>It is the request's to run, in place of a run that began it and did not finish.</summary>
    Recovering,

    /// <summary>It was run, or a later one of its series was where the lock is exclusive, or it is too early to be remembered; the lock is not granted.</summary>
    AlreadyRun,

    /// <summary>It was begun and not finished, and the lock is held: whoever gets the lock next may recover it.</summary>
    Running,
}
