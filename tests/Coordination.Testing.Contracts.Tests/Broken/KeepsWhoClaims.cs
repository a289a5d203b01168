using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Takes a claim for a renewal, and so leaves the waiter in the queue.</summary>
internal sealed class KeepsWhoClaims(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        base.RenewAsync([.. requests.Select(request => request with { ClaimedEntry = null })], cancellationToken);
}
