using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Passes a lock to the first in the queue, whoever is named.</summary>
internal sealed class IgnoresSuccessors(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) => base.ReleaseAsync(request with { Successor = null }, cancellationToken);
}
