using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Takes room beside a run for the end of it: an occurrence is run twice at a time.</summary>
internal sealed class RecoversWhatIsUnderWay(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.AcquireAsync(request, cancellationToken);
        return reply.OccurrenceStatus == OccurrenceStatus.Running
            ? await base.AcquireAsync(request with { Occurrence = null }, cancellationToken) with { OccurrenceStatus = OccurrenceStatus.Recovering }
            : reply;
    }
}
