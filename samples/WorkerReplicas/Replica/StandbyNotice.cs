using Coordination;
using Microsoft.Extensions.Hosting;
using WorkerReplicas.CommandLine;

namespace WorkerReplicas.Replica;

/// <summary>
/// Tells the process that started this one, by a line on standard output, when the replica begins to stand by: another leads, and this one stands in the queue, so that the lock can pass to it. A deployment
/// that is to wait for that has its readiness probe ask the same.
/// </summary>
internal sealed class StandbyNotice(ILeadership<LedgerWorker> leadership, ILockInspector inspector, ReplicaOptions options) : BackgroundService
{
    public const string Text = "stands by";

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var standsBy = false;
        await foreach (var change in leadership.WatchAsync(stoppingToken))
        {
            var before = standsBy;
            standsBy = !change.IsLeader && (standsBy || change.Leader is not null);
            if (standsBy && !before && await QueuesAsync(stoppingToken))
            {
                Console.WriteLine(Text);
            }
        }
    }

    /// <summary>Waits until this replica stands in the queue: that it knows who leads says nothing of that.</summary>
    /// <returns>False when it leads instead.</returns>
    private async Task<bool> QueuesAsync(CancellationToken stoppingToken)
    {
        while (!leadership.IsLeader)
        {
            if (await IsInQueueAsync(stoppingToken))
            {
                return true;
            }

            await Task.Delay(BetweenLooks, stoppingToken);
        }

        return false;
    }

    private async Task<bool> IsInQueueAsync(CancellationToken stoppingToken)
    {
        try
        {
            var seen = await inspector.InspectAsync(options.LockName, cancellationToken: stoppingToken);
            return seen.Waiters.Any(waiter => waiter.IsAlive && waiter.Owner.NodeName == options.Name);
        }
        catch (LockStoreException e) when (e.IsTransient)
        {
            // Looked at again.
            return false;
        }
    }
}
