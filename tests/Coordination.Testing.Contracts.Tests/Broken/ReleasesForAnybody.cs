using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Releases a lock for who does not hold it.</summary>
internal sealed class ReleasesForAnybody(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.ReleaseAsync(request, cancellationToken);
        if (reply == ReleaseReply.NotHeld && await GetHolderAsync(request.LockName, cancellationToken) is { } holder)
        {
            await base.ReleaseAsync(Requests.Release(request.LockName, holder.Owner, request.ClaimWindow), cancellationToken);
        }

        return reply;
    }
}
