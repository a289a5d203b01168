using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Grants several locks that are free, whoever waits for one of them.</summary>
internal sealed class TakesSeveralOutOfTurn(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
        base.TryAcquireAllAsync([.. requests.Select(request => request with { AllowBarging = true })], cancellationToken);
}
