using Coordination.Stores;
using Coordination.Tests.Contract;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Stores;

public class InMemoryLockTests : LockContract
{
    private readonly InMemoryLockStore _store = new();

    protected override void UseStore(ICoordinationBuilder builder) => builder.UseInMemory(_store);

    protected override Task LoseAllDataAsync()
    {
        _store.Clear();
        return Task.CompletedTask;
    }

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);
        Assert.Equal(0, _store.Count);
    }
}
