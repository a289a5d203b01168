using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

public sealed class SharedInMemoryStore : SharedStore
{
    private readonly InMemoryLockStore _store = new();

    public override void Use(ICoordinationBuilder builder) => builder.UseInMemory(_store);

    public override Task LoseAllDataAsync()
    {
        _store.Clear();
        return Task.CompletedTask;
    }
}
