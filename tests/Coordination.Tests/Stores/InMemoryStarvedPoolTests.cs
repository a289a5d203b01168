using Coordination.Stores;
using Coordination.Stores.InMemory;

namespace Coordination.Tests.Stores;

[Collection(nameof(Alone))]
public sealed class InMemoryStarvedPoolTests : LockStoreStarvedPoolContract
{
    protected override Task WithStoreAsync(Func<ILockStore, Task> test) => test(new InMemoryLockStore());
}
