using System.Data.Common;

namespace Coordination;

/// <summary>What can be done with any lease.</summary>
public static class LeaseExtensions
{
    /// <summary>The lease for code that may rely on it and not release it. It is the same lease: it is lost and released with it.</summary>
    /// <param name="lease">A lease. It stays referenced.</param>
    /// <exception cref="ArgumentNullException"><paramref name="lease"/> is null.</exception>
    public static ILease AsReadOnly(this ILockLease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return new ReadOnlyLease(lease);
    }

    /// <summary>Throws when the lease is lost, and does nothing otherwise. Compares the deadline with the clock, so it counts also right after a pause.</summary>
    /// <param name="lease">A lease.</param>
    /// <exception cref="ArgumentNullException"><paramref name="lease"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease is lost.</exception>
    /// <example>
    /// <code>
    /// foreach (var invoice in due)
    /// {
    ///     lease.ThrowIfLost();
    ///     await SendAsync(invoice, lease.FencingToken, cancellationToken);
    /// }
    /// </code>
    /// </example>
    public static void ThrowIfLost(this ILease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        if (lease.State == LeaseState.Lost)
        {
            throw new LeaseLostException(lease);
        }
    }

    /// <summary>What hides that the lease behind it can be released, also from a cast.</summary>
    private sealed class ReadOnlyLease(ILockLease lease) : ILease
    {
        public string LockName => lease.LockName;

        public LockOwner Owner => lease.Owner;

        public long FencingToken => lease.FencingToken;

        public int? Permit => lease.Permit;

        public CancellationToken Lost => lease.Lost;

        public CancellationToken StepDownRequested => lease.StepDownRequested;

        public StepDownRequest? StepDownRequest => lease.StepDownRequest;

        public LeaseLossReason? LossReason => lease.LossReason;

        public LeaseState State => lease.State;

        public TimeSpan Remaining => lease.Remaining;

        public void ReportProgress() => lease.ReportProgress();

        public Task GuardAsync(DbTransaction transaction, CancellationToken cancellationToken = default) => lease.GuardAsync(transaction, cancellationToken);
    }
}
