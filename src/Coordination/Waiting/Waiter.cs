using System.Diagnostics;
using Coordination.Leases;

namespace Coordination.Waiting;

/// <summary>
/// One call that waits for a lock. Whoever decides it first decides what it ends with: a lease, an error, or that it gave up.
/// </summary>
internal sealed class Waiter
{
    private readonly TaskCompletionSource<LeaseHandle> _lease = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isDecided;

    /// <summary>The trace that the hold belongs to.</summary>
    public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;

    public Task<LeaseHandle> Lease => _lease.Task;

    /// <summary>Decides that this waiter gets the lease, which <see cref="Deliver"/> then brings.</summary>
    public bool TryClaim() => Interlocked.Exchange(ref _isDecided, 1) == 0;

    public void Deliver(LeaseHandle lease) => _lease.SetResult(lease);

    public void TryFail(Exception error)
    {
        if (TryClaim())
        {
            _lease.SetException(error);
        }
    }

    /// <summary>Decides that this waiter has given up.</summary>
    /// <returns>False when a lease or an error was decided in the same moment, and <see cref="Lease"/> completes with it.</returns>
    public bool TryGiveUp() => TryClaim();
}
