using Coordination.Stores;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Stores.InMemory;

[Collection(nameof(Alone))]
public sealed class InMemoryStoreStarvedPoolTests : LockStoreStarvedPoolContract
{
    protected override Task WithStoreAsync(Func<ILockStore, Task> test) => test(new InMemoryLockStore());
}

[Collection(nameof(Alone))]
public sealed class InMemoryLockStarvedPoolTests : LockStarvedPoolContract
{
    private readonly InMemoryLockStore _store = new();

    protected override void UseStore(ICoordinationBuilder builder) => builder.UseInMemory(_store);
}
