using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.DependencyInjection;

/// <summary>
/// The services of one node of a container, which may have several: what is registered for that node, and what all of them share. For authors of stores and
/// integrations.
/// </summary>
/// <remarks>
/// The node that has no name has its services as such, and one with a name has them under it as their key. No node takes what is another's: what is
/// missing is missing.
/// </remarks>
public sealed class NodeServices
{
    /// <summary>The services of a node.</summary>
    /// <param name="container">The container.</param>
    /// <param name="name">The name of the node; null for the one that has none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="container"/> is null.</exception>
    public NodeServices(IServiceProvider container, string? name)
    {
        ArgumentNullException.ThrowIfNull(container);
        Container = container;
        Name = name;
    }

    /// <summary>What all nodes of the container share, such as the clock and the logs.</summary>
    public IServiceProvider Container { get; }

    /// <summary>The name of the node; null for the one that has none.</summary>
    public string? Name { get; }

    /// <summary>A service of the node.</summary>
    /// <returns>Null when it has none of that type.</returns>
    public T? Get<T>()
        where T : class => Name is null ? Container.GetService<T>() : Container.GetKeyedService<T>(Name);

    /// <summary>A service of the node.</summary>
    /// <exception cref="InvalidOperationException">It has none of that type.</exception>
    public T GetRequired<T>()
        where T : class => Name is null ? Container.GetRequiredService<T>() : Container.GetRequiredKeyedService<T>(Name);

    /// <summary>A service that all nodes share.</summary>
    /// <exception cref="InvalidOperationException">There is none of that type.</exception>
    public T GetShared<T>()
        where T : class => Container.GetRequiredService<T>();

    /// <summary>The options of the node: those that have its name.</summary>
    /// <exception cref="OptionsValidationException">A setting is out of its range.</exception>
    public TOptions GetOptions<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>()
        where TOptions : class =>
        Name is null ? GetShared<IOptions<TOptions>>().Value : GetShared<IOptionsMonitor<TOptions>>().Get(Name);
}
