using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Confirms each renewal, whoever holds the lock.</summary>
internal sealed class RenewsForAnybody(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        var replies = await base.RenewAsync(requests, cancellationToken);
        return [.. replies.Select(_ => RenewalReply.Renewed)];
    }
}
