using Coordination.Stores;
using Coordination.TestKit.Stores;
using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: that a server does not write, for it is a replica or for the slot is being moved, is taken for success.</summary>
internal sealed class DisobedientStore(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.AcquireAsync(request, cancellationToken);
        }
        catch (LockStoreException e) when (IsRefusal(e))
        {
            return AcquireReply.Granted((long)(DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalMicroseconds);
        }
    }

    public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        try
        {
            return await base.RenewAsync(requests, cancellationToken);
        }
        catch (LockStoreException e) when (IsRefusal(e))
        {
            return [.. requests.Select(_ => RenewalReply.Renewed)];
        }
    }

    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.ReleaseAsync(request, cancellationToken);
        }
        catch (LockStoreException e) when (IsRefusal(e))
        {
            return ReleaseReply.Released;
        }
    }

    private static bool IsRefusal(LockStoreException failure) =>
        failure.InnerException is RedisServerException { Message: var text } && (text.Contains("READONLY", StringComparison.Ordinal) || text.Contains("TRYAGAIN", StringComparison.Ordinal));
}
