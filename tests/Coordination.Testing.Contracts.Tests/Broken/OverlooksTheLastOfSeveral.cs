using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Of several locks that are asked for together it does not see who holds the last.</summary>
internal sealed class OverlooksTheLastOfSeveral(ILockStore inner) : DelegatingLockStore(inner)
{
    private long _token = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    public override async Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken)
    {
        var replies = await base.TryAcquireAllAsync(requests, cancellationToken);
        return replies?[^1].Holder is null
            ? replies
            : [.. (await base.TryAcquireAllAsync([.. requests.SkipLast(1)], cancellationToken))!, AcquireReply.Granted(Interlocked.Increment(ref _token))];
    }
}
