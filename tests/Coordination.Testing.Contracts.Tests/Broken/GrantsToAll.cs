using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Grants a lock that is held.</summary>
internal sealed class GrantsToAll(ILockStore inner) : DelegatingLockStore(inner)
{
    private long _token = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        await base.AcquireAsync(request, cancellationToken) is { IsGranted: true } reply ? reply : AcquireReply.Granted(Interlocked.Increment(ref _token));
}
