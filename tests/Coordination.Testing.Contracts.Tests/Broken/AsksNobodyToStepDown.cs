using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Says that a holder was asked to step down, and tells it nothing.</summary>
internal sealed class AsksNobodyToStepDown(ILockStore inner) : DelegatingLockStore(inner)
{
    public override async Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken) =>
        (await InspectAsync(lockName, 0, cancellationToken)).Holders.Any(holder => holder.FencingToken == fencingToken && !holder.IsReleased);
}
