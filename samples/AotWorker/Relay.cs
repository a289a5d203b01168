using Coordination;

namespace AotWorker;

/// <summary>What one node does at a time.</summary>
internal sealed class Relay(Progress progress) : ExclusiveBackgroundService
{
    protected override Task ExecuteExclusiveAsync(ILockLease lease, CancellationToken stoppingToken)
    {
        progress.ServiceRan(lease.FencingToken);
        return Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
