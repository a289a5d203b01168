namespace Coordination.PostgreSql.Errors;

/// <summary>Something else wrote the row of a lock, and what it says is no state of one.</summary>
/// <param name="lockName">The lock.</param>
/// <param name="inner">What reading it stumbled over.</param>
internal sealed class UnreadableRowException(string lockName, Exception inner) : FormatException($"The row of the lock '{lockName}' cannot be read.", inner)
{
    public string LockName => lockName;
}
