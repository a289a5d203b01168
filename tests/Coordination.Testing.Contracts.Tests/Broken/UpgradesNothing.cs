using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Lets in who wants to upgrade what nobody has, as one who writes.</summary>
internal sealed class UpgradesNothing(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.AcquireAsync(request, cancellationToken);
        return reply.HasNothingToUpgrade ? await base.AcquireAsync(request with { Share = LockShare.Write }, cancellationToken) : reply;
    }
}
