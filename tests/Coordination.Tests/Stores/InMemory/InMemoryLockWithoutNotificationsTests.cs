namespace Coordination.Tests.Stores.InMemory;

/// <summary>The whole contract with every notification dropped: waiters go by the time that holders have left.</summary>
[Promise("G7")]
public sealed class InMemoryLockWithoutNotificationsTests : InMemoryLockTests
{
    protected override TimeSpan NodeLease => TimeSpan.FromSeconds(1);

    protected override bool DropsNotifications => true;

    protected override int Cycles => 5;
}
