using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Leaves a released lock to whoever is fastest.</summary>
internal sealed class LetsNewcomersOvertake(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        base.AcquireAsync(request with { AllowBarging = true }, cancellationToken);

    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        base.ReleaseAsync(request with { AllowBarging = true }, cancellationToken);
}
