using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Lets in whoever reads beside those who do, whoever waits to write.</summary>
internal sealed class LetsReadersOvertake(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        base.AcquireAsync(request.Share == LockShare.Read ? request with { AllowBarging = true } : request, cancellationToken);
}
