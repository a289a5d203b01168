namespace Coordination;

/// <summary>The store could not do what it was asked.</summary>
public sealed class LockStoreException : Exception
{
    /// <summary>Makes a final failure with no message of its own.</summary>
    public LockStoreException()
        : this("The lock store could not do what it was asked.")
    {
    }

    /// <summary>Makes a final failure.</summary>
    /// <param name="message">What went wrong, and what to do about it. Holds no secret.</param>
    public LockStoreException(string message)
        : base(message)
    {
    }

    /// <summary>Makes a final failure.</summary>
    /// <param name="message">What went wrong, and what to do about it. Holds no secret.</param>
    /// <param name="innerException">The backend's own exception.</param>
    public LockStoreException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes a failure.</summary>
    /// <param name="message">What went wrong, and what to do about it. Holds no secret.</param>
    /// <param name="isTransient">Whether a later try may succeed with nothing changed by hand.</param>
    /// <param name="innerException">The backend's own exception.</param>
    public LockStoreException(string message, bool isTransient, Exception? innerException = null)
        : base(message, innerException) => IsTransient = isTransient;

    /// <summary>
    /// Whether a later try may succeed with nothing changed by hand: a lost connection, a timeout, a failover. False for a wrong
    /// password, a missing right, a wrong type of key or a script error.
    /// </summary>
    public bool IsTransient { get; }

    /// <summary>
    /// What is the matter with the store, as a sentence that is true of every call and names no lock, such as
    /// <c>cannot connect to localhost:6379: connection refused.</c> Calls that are not made for it say it with the names of their own locks. Holds no secret.
    /// </summary>
    /// <value>Null, the default, where there is none: then the message takes its place.</value>
    public string? Cause { get; init; }

    /// <summary>What others use the name as at the moment, where that is why the store refused: they hold it or wait for it with another capacity than was asked for.</summary>
    /// <value>Null, the default, for any other failure.</value>
    public LockCapacity? InUseAs { get; init; }

    /// <summary>
    /// Whether this lock alone is concerned: the store is there, and something else keeps busy what it has of this lock, such as a session that locks its row. A transient failure that is no outage:
    /// the call is made again, and no call for another lock waits for it.
    /// </summary>
    /// <value>False by default.</value>
    public bool IsLockBusy { get; init; }

    /// <summary>
    /// Whether the store may have done, or may still do, what it was asked: the reply was lost, or did not come in time. Then an acquisition has to be
    /// undone. False says that it was provably never sent, or was refused whole.
    /// </summary>
    /// <value>True by default: a store that knows better says so.</value>
    public bool MayBeApplied { get; init; } = true;
}
