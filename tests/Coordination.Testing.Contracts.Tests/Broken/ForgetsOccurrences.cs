using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Starts an occurrence that was run.</summary>
internal sealed class ForgetsOccurrences(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var reply = await base.AcquireAsync(request with { Occurrence = null }, cancellationToken);
        return reply.IsGranted && request.Occurrence is not null ? reply with { OccurrenceStatus = OccurrenceStatus.Started } : reply;
    }
}
