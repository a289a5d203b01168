using System.Net;
using System.Net.Sockets;

namespace WorkerReplicas.Ledger;

/// <summary>The ledger as a replica sees it: a resource elsewhere, that knows nothing of locks but the fencing token.</summary>
internal sealed class LedgerClient(IPEndPoint endPoint, string replica)
{
    public async Task<LedgerTerm> BeginTermAsync(long fencingToken, CancellationToken cancellationToken)
    {
        var began = MonotonicClock.Now;
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(endPoint, cancellationToken);
            var term = new LedgerTerm(new LedgerStream(client));
            await term.SendAsync(new LedgerRequest(LedgerRequestKind.Begin, began, fencingToken, replica));
            return term;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }
}
