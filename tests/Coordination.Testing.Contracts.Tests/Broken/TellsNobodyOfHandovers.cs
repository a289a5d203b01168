using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Hands the lock over by the reply to a release, and leaves that out of the reply.</summary>
internal sealed class TellsNobodyOfHandovers(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        await base.ReleaseAsync(request, cancellationToken) with { NextOwner = null };
}
