namespace Coordination;

/// <summary>Who leads in <typeparamref name="TService"/>.</summary>
/// <typeparam name="TService">
/// A service that is registered once. One that is registered under several names is asked for by the name, as
/// <c>[FromKeyedServices("name")] ILeadership</c>; asking by type throws an <see cref="InvalidOperationException"/> that says so.
/// </typeparam>
/// <remarks>Implemented by this library alone; members may be added.</remarks>
public interface ILeadership<TService> : ILeadership
    where TService : ExclusiveBackgroundService;
