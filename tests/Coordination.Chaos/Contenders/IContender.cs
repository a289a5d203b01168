namespace Coordination.Chaos.Contenders;

/// <summary>A kind of lock that is put to the test, as the worker sees it.</summary>
internal interface IContender : IAsyncDisposable
{
    /// <summary>Waits for a lock.</summary>
    /// <returns>Null when it was refused.</returns>
    Task<IHolding?> AcquireAsync(string lockName, CancellationToken cancellationToken);
}
