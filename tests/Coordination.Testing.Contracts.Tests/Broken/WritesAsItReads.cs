using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Lets in who writes as one who reads.</summary>
internal sealed class WritesAsItReads(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        base.AcquireAsync(request with { Share = Reading(request.Share) }, cancellationToken);

    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        base.RenewAsync([.. requests.Select(request => request with { Share = Reading(request.Share) })], cancellationToken);

    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        base.ReleaseAsync(request with { Share = Reading(request.Share) }, cancellationToken);

    private static LockShare? Reading(LockShare? share) => share == LockShare.Write ? LockShare.Read : share;
}
