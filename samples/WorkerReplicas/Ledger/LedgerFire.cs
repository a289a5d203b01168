using SampleKit.Processes;

namespace WorkerReplicas.Ledger;

/// <summary>The ledger, opened for one run of the scheduled job.</summary>
internal sealed class LedgerFire(LedgerTerm connection) : IAsyncDisposable
{
    public Task CompleteAsync() => connection.SendAsync(new LedgerRequest(LedgerRequestKind.EndFire, MonotonicClock.Now));

    public ValueTask DisposeAsync() => connection.CloseAsync();
}
