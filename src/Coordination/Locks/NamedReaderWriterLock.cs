using Coordination.Leases;

namespace Coordination.Locks;

/// <summary>A lock for readers and writers, by its name.</summary>
internal sealed class NamedReaderWriterLock(Acquirer acquirer, string name, LockOptions? options) : IReaderWriterLock
{
    public string Name => name;

    public ILock Read => Of(LockShare.Read);

    public ILock UpgradeableRead => Of(LockShare.UpgradeableRead);

    public ILock Write => Of(LockShare.Write);

    public ILock Upgrade(ILockLease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        if (lease.LockName != name || lease.Owner.NodeId != acquirer.NodeId || (lease as LeaseHandle)?.Lease.Grant.Share != LockShare.UpgradeableRead)
        {
            throw new ArgumentException(
                $"The lease of '{lease.LockName}' by {lease.Owner} is no upgradeable read of '{name}' from this provider. Upgrade a lease of {nameof(UpgradeableRead)}; one of {nameof(Read)} cannot be upgraded, for two readers that wait for each other to leave would wait for ever.",
                nameof(lease));
        }

        return new UpgradingLock(Of(LockShare.UpgradeOf(lease.Owner)), lease);
    }

    private NamedLock Of(LockShare share) => new(acquirer, name, owner: null, options, share);
}
