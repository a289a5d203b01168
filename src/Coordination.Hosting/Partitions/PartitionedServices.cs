using Coordination.Hosting.Services;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Partitions;

/// <summary>The lock names of all partitioned services of a host, each of which is one service's.</summary>
internal sealed class PartitionedServices
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string? Node, string Name), ServiceKey> _all = [];

    /// <exception cref="OptionsValidationException">Another service has the same.</exception>
    public void Add(ServiceKey key, string? node, string name)
    {
        lock (_gate)
        {
            if (!_all.TryAdd((node, name), key))
            {
                throw new OptionsValidationException(
                    key.OptionsName,
                    typeof(PartitionedServiceOptions),
                    [$"{_all[(node, name)].OptionsName} and {key.OptionsName} have the same lock name '{name}', so that each would lead some of the partitions of both. Give each a LockName of its own."]);
            }
        }
    }
}
