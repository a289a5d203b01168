using Coordination;
using Coordination.Testing;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts a store that fails on demand in the place of the real one.</summary>
public static class ControllableStoreBuilderExtensions
{
    /// <summary>
    /// Keeps this node's locks in <paramref name="store"/>, in place of the store that was chosen before. Several hosts may be
    /// given the same instance and are then several nodes; none of them disposes it.
    /// </summary>
    /// <param name="builder">From <c>services.AddCoordination(…)</c>.</param>
    /// <param name="store">The store, whose controls the test keeps.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static ICoordinationBuilder UseControllableStore(this ICoordinationBuilder builder, ControllableLockStore store)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(store);
        return builder.UseStore(store);
    }
}
