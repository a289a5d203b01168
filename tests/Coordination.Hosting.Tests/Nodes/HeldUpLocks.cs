using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>Locks whose grants are held up on their way to the caller, and which do not look at the token meanwhile.</summary>
internal sealed class HeldUpLocks
{
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _held;

    /// <summary>How many grants were held up.</summary>
    public int Held => _held;

    public void LetThrough() => _gate.TrySetResult();

    public ILockProvider Around(ILockProvider locks) => new Provider(locks, this);

    private sealed class Provider(ILockProvider inner, HeldUpLocks held) : ILockProvider
    {
        public string NodeId => inner.NodeId;

        public ILock GetLock(string name, LockOptions? options = null) => new HeldUpLock(inner.GetLock(name, options), held);

        public ILock GetSemaphore(string name, int permits, LockOptions? options = null) => new HeldUpLock(inner.GetSemaphore(name, permits, options), held);

        public IReaderWriterLock GetReaderWriterLock(string name, LockOptions? options = null) => inner.GetReaderWriterLock(name, options);

        public Task<ILockSetLease> AcquireAllAsync(IEnumerable<string> names, LockOptions? options = null, CancellationToken cancellationToken = default) =>
            inner.AcquireAllAsync(names, options, cancellationToken);

        public Task<ILockSetLease> AcquireAllAsync(IEnumerable<string> names, TimeSpan timeout, LockOptions? options = null, CancellationToken cancellationToken = default) =>
            inner.AcquireAllAsync(names, timeout, options, cancellationToken);

        public Task<ILockSetLease?> TryAcquireAllAsync(IEnumerable<string> names, LockOptions? options = null, CancellationToken cancellationToken = default) =>
            inner.TryAcquireAllAsync(names, options, cancellationToken);

        public Task<ILockSetLease?> TryAcquireAllAsync(IEnumerable<string> names, TimeSpan timeout, LockOptions? options = null, CancellationToken cancellationToken = default) =>
            inner.TryAcquireAllAsync(names, timeout, options, cancellationToken);

        public LockOwner CreateOwner() => inner.CreateOwner();
    }

    private sealed class HeldUpLock(ILock inner, HeldUpLocks held) : ILock
    {
        public string Name => inner.Name;

        public ILock WithOwner(LockOwner owner) => inner.WithOwner(owner);

        public Task<ILockLease?> TryAcquireAsync(CancellationToken cancellationToken = default) => inner.TryAcquireAsync(cancellationToken);

        public Task<ILockLease?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => inner.TryAcquireAsync(timeout, cancellationToken);

        public async Task<ILockLease> AcquireAsync(CancellationToken cancellationToken = default)
        {
            var lease = await inner.AcquireAsync(cancellationToken);
            Interlocked.Increment(ref held._held);
            await held._gate.Task;
            return lease;
        }

        public Task<ILockLease> AcquireAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => inner.AcquireAsync(timeout, cancellationToken);
    }
}

/// <summary>A second provider on the store of the host, for the host's own one to be replaced by something around it.</summary>
internal sealed class ProviderOfAnotherNode(ILockStore store, TimeProvider time) : IAsyncDisposable
{
    private readonly ServiceProvider _services = Build(store, time);

    public ILockProvider Locks => _services.GetRequiredService<ILockProvider>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static ServiceProvider Build(ILockStore store, TimeProvider time)
    {
        var services = new ServiceCollection().AddSingleton(time);
        services.AddCoordination(o => o.LeaseDuration = Cluster.LeaseDuration).UseInMemory();
        return services.AddSingleton(store).BuildServiceProvider();
    }
}
