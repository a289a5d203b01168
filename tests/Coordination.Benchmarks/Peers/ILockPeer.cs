namespace Coordination.Benchmarks.Peers;

/// <summary>A library of locks, as far as the rows need it.</summary>
internal interface ILockPeer : IAsyncDisposable
{
    /// <summary>Waits for a lock, for as long as it takes.</summary>
    /// <returns>What to dispose of to release it.</returns>
    Task<IAsyncDisposable> AcquireAsync(string name);

    /// <summary>As <see cref="AcquireAsync(string)"/>, of a lock that several may hold at a time.</summary>
    /// <param name="name">The lock.</param>
    /// <param name="share">What is wanted of it; null for an exclusive lock.</param>
    /// <exception cref="NotSupportedException">The library has no such locks.</exception>
    Task<IAsyncDisposable> AcquireAsync(string name, LockShare? share) =>
        share is null ? AcquireAsync(name) : throw new NotSupportedException($"{GetType().Name} has exclusive locks only.");

    /// <summary>As <see cref="AcquireAsync(string)"/>, by a call that shares nothing with the others of its process.</summary>
    Task<IAsyncDisposable> AcquireApartAsync(string name) => AcquireAsync(name);
}
