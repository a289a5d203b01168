using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Shortens no lease, also where the entry that asked for the longer one was left.</summary>
internal sealed class KeepsTheLongestLease(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        base.RenewAsync([.. requests.Select(request => request with { Entry = null })], cancellationToken);
}
