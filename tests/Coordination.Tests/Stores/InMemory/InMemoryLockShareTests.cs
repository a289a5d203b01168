using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Stores.InMemory;

public class InMemoryLockShareTests : LockShareContract
{
    private readonly InMemoryLockStore _store = new();

    protected override void UseStore(ICoordinationBuilder builder) => builder.UseInMemory(_store);

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        await base.AssertNothingLeftAsync(lockName);

        // Of all locks of the test: calls that gave up may still be undoing what they asked for.
        await Eventually.IsTrueAsync(() => _store.Count == 0, TimeSpan.FromSeconds(10), "Nothing is left of any lock.");
    }
}

/// <summary>With every notification dropped: waiters go by the time that holders have left.</summary>
[Promise("G7")]
public sealed class InMemoryLockShareWithoutNotificationsTests : InMemoryLockShareTests
{
    protected override TimeSpan NodeLease => TimeSpan.FromSeconds(1);

    protected override bool DropsNotifications => true;

    protected override int Cycles => 5;
}
