using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Gives two holders the same permit.</summary>
internal sealed class GivesANumberTwice(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.AcquireAsync(request, cancellationToken);
        return reply.Permit is { } permit ? reply with { Permit = permit / 2 } : reply;
    }

    /// <summary>Where all wait, all permits are handed over.</summary>
    public override Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        base.SubscribeAsync(nodeId, notification => handler(notification with { Handover = Halved(notification.Handover) }), cancellationToken);

    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.ReleaseAsync(request, cancellationToken);
        return reply with { Handover = Halved(reply.Handover) };
    }

    private static LockHandover? Halved(LockHandover? handover) => handover is { Permit: { } permit } ? handover with { Permit = permit / 2 } : handover;
}
