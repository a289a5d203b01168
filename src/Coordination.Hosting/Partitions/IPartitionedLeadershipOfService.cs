namespace Coordination;

/// <summary>The <see cref="IPartitionedLeadership"/> of a service, by its type.</summary>
/// <typeparam name="TService">The service.</typeparam>
public interface IPartitionedLeadership<TService> : IPartitionedLeadership
    where TService : PartitionedBackgroundService;
