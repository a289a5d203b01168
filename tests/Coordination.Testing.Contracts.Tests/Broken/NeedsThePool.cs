using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Leaves the caller's context for a thread of the pool.</summary>
internal sealed class NeedsThePool(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        Task.Run(() => base.RenewAsync(requests, cancellationToken), cancellationToken);
}
