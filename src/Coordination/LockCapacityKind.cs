namespace Coordination;

/// <summary>The kinds of <see cref="LockCapacity"/>.</summary>
public enum LockCapacityKind
{
    /// <summary>One holder at a time.</summary>
    Exclusive,

    /// <summary>Up to a number of holders at a time.</summary>
    Semaphore,

    /// <summary>Many who read, or one who writes.</summary>
    ReaderWriter,
}
