using Coordination.Stores.InMemory;
using Coordination.Tests.Contract;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.DistributedLock;

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
