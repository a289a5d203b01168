using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Looks at the token before it sends anything.</summary>
internal sealed class SendsNothingForWhoGaveUp(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await base.ReleaseAsync(request, cancellationToken);
    }
}
