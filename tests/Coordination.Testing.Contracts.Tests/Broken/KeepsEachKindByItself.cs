using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Has semaphores under other keys than exclusive locks: they do not know of each other.</summary>
internal sealed class KeepsEachKindByItself(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        base.AcquireAsync(request with { LockName = NameOf(request.LockName, request.Share) }, cancellationToken);

    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        base.ReleaseAsync(request with { LockName = NameOf(request.LockName, request.Share) }, cancellationToken);

    private static string NameOf(string lockName, LockShare? share) => share is null ? lockName : $"{lockName}-{share.Capacity.Kind}";
}
