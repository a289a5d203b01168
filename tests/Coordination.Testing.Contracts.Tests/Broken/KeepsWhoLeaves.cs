using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Keeps waiters in the queue that leave it.</summary>
internal sealed class KeepsWhoLeaves(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        await GetHolderAsync(request.LockName, cancellationToken) is { } holder && holder.Owner != request.Owner
            ? ReleaseReply.NotHeld
            : await base.ReleaseAsync(request, cancellationToken);
}
