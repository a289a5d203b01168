using Coordination.Chaos.Workers;
using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Chaos.Contenders;

/// <summary>Suspends the process with a release or a claim under way, when it was told to.</summary>
internal sealed class SuspendingStore(ILockStore inner, WorkerSignals signals) : DelegatingLockStore(inner)
{
    public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        var release = base.ReleaseAsync(request, cancellationToken);
        signals.SuspendIfTold(Suspension.InRelease);
        return await release;
    }

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var isClaim = signals.IsPassed(request.LockName);
        var claim = base.AcquireAsync(request, cancellationToken);
        if (isClaim)
        {
            signals.SuspendIfTold(Suspension.InClaim);
        }

        return await claim;
    }

    /// <summary>Whoever holds a lock that was passed to it claims it beside its work.</summary>
    public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        // On the watchdog's thread, for those that it renews.
        var renewal = base.RenewAsync(requests, cancellationToken);
        if (requests is [{ ClaimedEntry: not null }])
        {
            signals.SuspendIfTold(Suspension.InClaim);
        }

        return await renewal;
    }

    public override Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        base.SubscribeAsync(
            nodeId,
            notification =>
            {
                if (notification is { Kind: LockNotificationKind.Granted, LockName: { } lockName })
                {
                    signals.NotePassed(lockName);
                }

                handler(notification);
            },
            cancellationToken);
}
