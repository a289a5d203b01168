using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DependencyInjection;

/// <inheritdoc/>
internal sealed class CoordinationBuilder(IServiceCollection services, string? name) : ICoordinationBuilder
{
    /// <inheritdoc/>
    public IServiceCollection Services => services;

    /// <inheritdoc/>
    public string? Name => name;
}
