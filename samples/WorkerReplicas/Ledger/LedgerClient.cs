using System.Net;
using System.Net.Sockets;
using SampleKit.Processes;

namespace WorkerReplicas.Ledger;

/// <summary>The ledger as a replica sees it: a resource elsewhere, that knows nothing of locks but the fencing token.</summary>
internal sealed class LedgerClient(IPEndPoint endPoint, string replica)
{
    public Task<LedgerTerm> BeginTermAsync(long fencingToken, CancellationToken cancellationToken) =>
        BeginAsync(new LedgerRequest(LedgerRequestKind.Begin, MonotonicClock.Now, fencingToken, replica), cancellationToken);

    public async Task<LedgerFire> BeginFireAsync(DateTimeOffset time, long fencingToken, CancellationToken cancellationToken) =>
        new(await BeginAsync(new LedgerRequest(LedgerRequestKind.BeginFire, MonotonicClock.Now, fencingToken, replica, FireTime: time), cancellationToken));

    private async Task<LedgerTerm> BeginAsync(LedgerRequest request, CancellationToken cancellationToken)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(endPoint, cancellationToken);
            var term = new LedgerTerm(new LedgerStream(client));
            await term.SendAsync(request);
            return term;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }
}
