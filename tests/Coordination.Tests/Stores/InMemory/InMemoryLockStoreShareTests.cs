using Coordination.Stores;
using Coordination.Stores.InMemory;

namespace Coordination.Tests.Stores.InMemory;

public sealed class InMemoryLockStoreShareTests : LockStoreShareContract
{
    private readonly InMemoryLockStore _store = new();

    protected override Task<ILockStore> CreateStoreAsync() => Task.FromResult<ILockStore>(_store);

    protected override Task LoseAllDataAsync()
    {
        _store.Clear();
        return Task.CompletedTask;
    }

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        Assert.Equal(0, _store.Count);
        await base.AssertNothingLeftAsync(lockName);
    }
}
