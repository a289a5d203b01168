using System.Data.Common;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: a transaction is not guarded, and commits what was written under a lock that another has by now.</summary>
internal sealed class UnguardedHolding(IHolding inner) : DelegatingHolding(inner), IHolding
{
    Task IHolding.GuardAsync(DbTransaction transaction) => Task.CompletedTask;
}
