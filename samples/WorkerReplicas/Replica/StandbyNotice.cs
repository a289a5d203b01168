using Coordination;
using Microsoft.Extensions.Hosting;

namespace WorkerReplicas.Replica;

/// <summary>Tells the process that started this one, by a line on standard output, when the replica begins to stand by.</summary>
internal sealed class StandbyNotice(ILeadership<LedgerWorker> leadership) : BackgroundService
{
    public const string Text = "stands by";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var standsBy = false;
        await foreach (var change in leadership.WatchAsync(stoppingToken))
        {
            var before = standsBy;
            standsBy = !change.IsLeader && (standsBy || change.Leader is not null);
            if (standsBy && !before)
            {
                Console.WriteLine(Text);
            }
        }
    }
}
