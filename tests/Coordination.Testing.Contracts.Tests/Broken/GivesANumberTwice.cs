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
}
