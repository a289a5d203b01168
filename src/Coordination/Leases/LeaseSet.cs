namespace Coordination.Leases;

/// <summary>The leases of several locks that are relied on together.</summary>
internal sealed class LeaseSet : ILockSetLease
{
    private readonly List<LeaseHandle> _handles = [];
    private readonly List<ILease> _leases = [];
    private readonly CancellationTokenSource _lost = new();

    public IReadOnlyList<ILease> Leases => _leases;

    public CancellationToken Lost => _lost.Token;

    public TimeSpan Remaining => _handles.Min(static handle => handle.Remaining);

    public ILease this[string lockName] =>
        _leases.Find(lease => lease.LockName == lockName) ?? throw new KeyNotFoundException($"'{lockName}' is none of the locks that were acquired together.");

    /// <summary>Of leases that were granted in one step.</summary>
    public static LeaseSet Of(IReadOnlyList<LeaseHandle> handles)
    {
        var set = new LeaseSet();
        foreach (var handle in handles)
        {
            set.Add(handle);
        }

        set.Begin();
        return set;
    }

    /// <summary>Adds a lease, on whose loss all depend. Until there is work for them no progress is asked of it.</summary>
    public void Add(LeaseHandle handle)
    {
        _handles.Add(handle);
        _leases.Add(handle.AsReadOnly());
        handle.Lease.Join(_lost);
    }

    /// <summary>All are granted, and the work begins.</summary>
    public void Begin() => ReportProgress();

    public void ReportProgress() => _handles.ForEach(static handle => handle.ReportProgress());

    /// <summary>Releases what nobody receives.</summary>
    public void Undo() => _handles.ForEach(static handle => handle.Undo());

    public async Task<IReadOnlyList<ReleaseResult>> ReleaseAsync(CancellationToken cancellationToken = default) =>
        await Task.WhenAll(_handles.ConvertAll(handle => handle.ReleaseAsync(cancellationToken))).ConfigureAwait(false);

    public async ValueTask DisposeAsync() => await ReleaseAsync().ConfigureAwait(false);
}
