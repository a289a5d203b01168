namespace Coordination.Chaos.Contenders;

/// <summary>A kind of lock that is put to the test, as the worker sees it.</summary>
internal interface IContender : IAsyncDisposable
{
    /// <summary>Waits for a lock.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="share">What is wanted of it; null for an exclusive lock, which is all that locks of others are asked for.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when it was refused.</returns>
    Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken);
}
