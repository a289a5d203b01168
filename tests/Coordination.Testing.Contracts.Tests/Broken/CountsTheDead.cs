using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Counts holders, and takes one off when it releases: a permit of a dead one stays taken.</summary>
internal sealed class CountsTheDead(ILockStore inner) : DelegatingLockStore(inner)
{
    private readonly HashSet<LockOwner> _inside = [];

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        if (request.Share is { Kind: LockShareKind.Permit } share && !_inside.Contains(request.Owner) && _inside.Count >= share.Capacity.Permits && !request.Wait)
        {
            var holder = new LockHolder { Owner = _inside.First(), FencingToken = 1, Since = DateTimeOffset.UtcNow, TimeToLive = TimeSpan.FromMinutes(1) };
            return AcquireReply.Refused(holder, waitersBefore: 0);
        }

        var reply = await base.AcquireAsync(request, cancellationToken);
        if (reply.IsGranted)
        {
            _inside.Add(request.Owner);
        }

        return reply;
    }

    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        _inside.Remove(request.Owner);
        return base.ReleaseAsync(request, cancellationToken);
    }
}
