using Coordination;
using WorkerReplicas.Ledger;

namespace WorkerReplicas.Replica;

/// <summary>Every replica runs this service; one of them at a time writes to the ledger.</summary>
internal sealed class LedgerWorker(LedgerClient ledger) : ExclusiveBackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    protected override async Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        await using var account = await ledger.BeginTermAsync(term.FencingToken, stoppingToken);
        while (await account.AppendAsync(["debit 100", "credit 100", "balance 0"]))
        {
            await Task.Delay(Pause, stoppingToken);
        }
    }
}
