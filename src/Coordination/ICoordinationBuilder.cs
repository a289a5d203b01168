using Microsoft.Extensions.DependencyInjection;

namespace Coordination;

/// <summary>Goes on from <c>services.AddCoordination(…)</c>: choose a store, and add what else builds on it.</summary>
/// <remarks>Implemented by this library alone; members may be added.</remarks>
public interface ICoordinationBuilder
{
    /// <summary>The services that are being registered.</summary>
    IServiceCollection Services { get; }

    /// <summary>The name of the node, which is the key of its services; null for the node that has none.</summary>
    string? Name { get; }
}
