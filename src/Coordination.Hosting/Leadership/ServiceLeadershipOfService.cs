using Coordination.Stores;

namespace Coordination.Hosting.Leadership;

internal sealed class ServiceLeadership<TService>(string lockName, string nodeId, ILockStoreAdministration store, TimeProvider time)
    : ServiceLeadership(lockName, nodeId, store, time), ILeadership<TService>
    where TService : ExclusiveBackgroundService;
