using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Counts holders and knows none of them: a release takes any share.</summary>
internal sealed class ReleasesAnothersShare(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.ReleaseAsync(request, cancellationToken);
        if (reply == ReleaseReply.NotHeld && await GetHolderAsync(request.LockName, cancellationToken) is { Share: not null } holder)
        {
            await base.ReleaseAsync(request with { Owner = holder.Owner, Share = holder.Share }, cancellationToken);
        }

        return reply;
    }
}
