using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: a waiter is not told when the holder's lease ends, so it has the notification alone to wait for.</summary>
internal sealed class TrustingStore(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.AcquireAsync(request, cancellationToken);
        return reply.Holder is { } holder ? reply with { Holder = holder with { TimeToLive = TimeSpan.FromHours(12) } } : reply;
    }
}
