namespace Coordination.Benchmarks.Peers;

/// <summary>A library of locks, as far as the rows need it.</summary>
internal interface ILockPeer : IAsyncDisposable
{
    /// <summary>Waits for a lock, for as long as it takes.</summary>
    /// <returns>What to dispose of to release it.</returns>
    Task<IAsyncDisposable> AcquireAsync(string name);

    /// <summary>As <see cref="AcquireAsync"/>, by a call that shares nothing with the others of its process.</summary>
    Task<IAsyncDisposable> AcquireApartAsync(string name) => AcquireAsync(name);
}
