using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Stores.InMemory;

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

        // Of all locks of the test: calls that gave up may still be undoing what they asked for.
        await Eventually.IsTrueAsync(() => _store.Count == 0, TimeSpan.FromMinutes(1), "Nothing is left of any lock.");
    }
}
