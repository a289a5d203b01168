namespace Coordination;

/// <summary>A lease was lost, so that work which relies on it must not go on: another node may hold the lock.</summary>
public sealed class LeaseLostException : Exception
{
    /// <summary>Makes one with no message of its own.</summary>
    public LeaseLostException()
        : this("The lease is lost.")
    {
    }

    /// <summary>Makes one.</summary>
    /// <param name="message">What was lost.</param>
    public LeaseLostException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    /// <param name="message">What was lost.</param>
    /// <param name="innerException">What came of it.</param>
    public LeaseLostException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes one for a lease that was lost.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="innerException">What came of it; null for nothing.</param>
    /// <exception cref="ArgumentNullException"><paramref name="lease"/> is null.</exception>
    public LeaseLostException(ILease lease, Exception? innerException = null)
        : base(Describe(lease), innerException)
    {
        LockName = lease.LockName;
        FencingToken = lease.FencingToken;
        Reason = lease.LossReason;
    }

    /// <summary>The name of the lock; null where it was not given.</summary>
    public string? LockName { get; }

    /// <summary>The fencing token of the lease; null where it was not given.</summary>
    public long? FencingToken { get; }

    /// <summary>Why it was lost; null where it was not given.</summary>
    public LeaseLossReason? Reason { get; }

    private static string Describe(ILease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return $"The lease of the lock '{lease.LockName}', fencing token {lease.FencingToken}, is lost: {lease.LossReason}.";
    }
}
