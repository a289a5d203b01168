using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Takes a waiter out of the queue, and does not look at those behind it.</summary>
internal sealed class LetsNobodyInBehindWhoLeaves(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        var inspection = await InspectAsync(request.LockName, 100, cancellationToken);

        // As if it had not left: it counts as alive until it would have asked again.
        return inspection.Waiters.Any(waiter => waiter.Owner == request.Owner) ? ReleaseReply.NotHeld : await base.ReleaseAsync(request, cancellationToken);
    }
}
