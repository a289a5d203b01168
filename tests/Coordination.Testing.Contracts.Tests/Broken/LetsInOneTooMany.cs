using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Counts one permit more than a semaphore has.</summary>
internal sealed class LetsInOneTooMany(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        base.AcquireAsync(request with { Share = OneMore(request.Share) }, cancellationToken);

    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        base.RenewAsync([.. requests.Select(request => request with { Share = OneMore(request.Share) })], cancellationToken);

    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        base.ReleaseAsync(request with { Share = OneMore(request.Share) }, cancellationToken);

    private static LockShare? OneMore(LockShare? share) => share?.Kind == LockShareKind.Permit ? LockShare.PermitOf(share.Capacity.Permits + 1) : share;
}
