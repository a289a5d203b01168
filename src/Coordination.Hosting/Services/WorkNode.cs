using Coordination.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Services;

/// <summary>The node whose locks some work has.</summary>
internal static class WorkNode
{
    /// <param name="services">The container.</param>
    /// <param name="name">The name of the node; null for the one that has none.</param>
    /// <param name="work">The work, as errors begin with it.</param>
    /// <exception cref="InvalidOperationException">No node of the container has no name.</exception>
    /// <exception cref="OptionsValidationException">No node of the container has the name.</exception>
    public static NodeServices Find<TOptions>(IServiceProvider services, string? name, string work)
    {
        var node = new NodeServices(services, name);
        if (node.Get<ILockProvider>() is not null)
        {
            return node;
        }

        throw name is null
            ? new InvalidOperationException(
                $"{work} has a lock of the node without a name, which is not registered: call services.AddCoordination() and choose its store, as by UseRedis(…) or UsePostgreSql(…), or set Node to the name of one that is.")
            : new OptionsValidationException(
                work, typeof(TOptions), [$"{work}: Node is '{name}', and there is none of that name: call services.AddCoordination(\"{name}\") and choose its store, as by UseRedis(…) or UsePostgreSql(…)."]);
    }
}
