using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Counts a request that is repeated as another entry.</summary>
internal sealed class CountsRepeatsTwice(ILockStore inner) : DelegatingLockStore(inner)
{
    private long _entry = 1000;

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var holder = await GetHolderAsync(request.LockName, cancellationToken);
        return await base.AcquireAsync(holder?.Owner == request.Owner ? request with { Entry = Interlocked.Increment(ref _entry) } : request, cancellationToken);
    }
}
