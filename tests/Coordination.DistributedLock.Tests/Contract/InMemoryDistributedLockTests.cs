using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

public class InMemoryDistributedLockTests : DistributedLockContract
{
    private readonly InMemoryLockStore _store = new();

    protected override void UseStore(ICoordinationBuilder builder) => builder.UseInMemory(_store);

    protected override Task LoseAllDataAsync()
    {
        _store.Clear();
        return Task.CompletedTask;
    }
}
