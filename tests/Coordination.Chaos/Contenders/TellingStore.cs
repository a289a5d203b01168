using Coordination.Chaos.Workers;
using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: of each renewal a sink is told on the watchdog's thread, which waits for it.</summary>
internal sealed class TellingStore(ILockStore inner, WorkerSinks sinks) : DelegatingLockStore(inner)
{
    public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        sinks.Tell();
        return base.RenewAsync(requests, cancellationToken);
    }
}
