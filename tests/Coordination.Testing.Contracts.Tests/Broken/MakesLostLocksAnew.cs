using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Makes a lock of a renewal, as a store does that only sets an end of life.</summary>
internal sealed class MakesLostLocksAnew(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        foreach (var request in requests)
        {
            await AcquireAsync(Requests.Acquire(request.LockName, request.Owner, request.LeaseDuration), cancellationToken);
        }

        return await base.RenewAsync(requests, cancellationToken);
    }
}
