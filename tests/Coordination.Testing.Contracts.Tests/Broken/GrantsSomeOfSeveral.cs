using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Of several locks that are asked for together it grants those that are free.</summary>
internal sealed class GrantsSomeOfSeveral(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
        await Task.WhenAll(requests.Select(request => AcquireAsync(request with { Wait = false }, cancellationToken)));
}
