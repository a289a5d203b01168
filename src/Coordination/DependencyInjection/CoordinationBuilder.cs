using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DependencyInjection;

/// <inheritdoc/>
internal sealed class CoordinationBuilder(IServiceCollection services) : ICoordinationBuilder
{
    /// <inheritdoc/>
    public IServiceCollection Services => services;
}
