using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Chaos.Contenders;

/// <summary>Notes when replies came.</summary>
internal sealed class ReplyTimingStore(ILockStore inner, ReplyTimes times) : DelegatingLockStore(inner)
{
    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.AcquireAsync(request, cancellationToken);
        if (reply.IsGranted)
        {
            times.Note(request.LockName);
        }

        return reply;
    }

    public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        var replies = await base.RenewAsync(requests, cancellationToken);
        foreach (var (request, reply) in requests.Zip(replies))
        {
            if (reply == RenewalReply.Renewed)
            {
                times.Note(request.LockName);
            }
            else
            {
                times.Forget(request.LockName);
            }
        }

        return replies;
    }
}
