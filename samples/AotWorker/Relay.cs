using Coordination;

namespace AotWorker;

/// <summary>What one node does at a time.</summary>
internal sealed class Relay(Progress progress) : ExclusiveBackgroundService
{
    protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        progress.ServiceRan(term.FencingToken);
        return Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
