using Coordination;
using WorkerReplicas.Ledger;

namespace WorkerReplicas.Replica;

/// <summary>Every replica runs this service; one of them at a time writes to the ledger.</summary>
internal sealed class LedgerWorker(LedgerClient ledger, StepDownRequest stepDown) : ExclusiveBackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>How long this replica does not lead again after it stepped down, where others would.</summary>
    private static readonly TimeSpan StayAway = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        stepDown.Made += StepDown;
        try
        {
            await using var account = await ledger.BeginTermAsync(term.FencingToken, stoppingToken);
            while (await account.AppendAsync(["debit 100", "credit 100", "balance 0"]))
            {
                await Task.Delay(Pause, stoppingToken);
            }
        }
        finally
        {
            stepDown.Made -= StepDown;
        }

        // Cancels the token of this work, which returns first; then the lock passes on.
        void StepDown() => term.StepDown(StayAway);
    }
}
