using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Takes the renewal of an entry that was left for one of the entry that is there.</summary>
internal sealed class ShortensForAnyEntry(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        base.RenewAsync([.. requests.Select(request => request.Entry is null ? request : request with { Entry = 1 })], cancellationToken);
}
