using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Keeps nothing of what waiters say of themselves.</summary>
internal sealed class ForgetsNotes(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        base.AcquireAsync(request.Wait ? request with { Note = null, Rank = 0 } : request, cancellationToken);
}
