using System.Net;
using System.Net.Sockets;

namespace WorkerReplicas.Ledger;

/// <summary>
/// Gives the journal to the replicas, on a free loopback port unless it is told another. It stands outside of all that it judges: it asks no lock server, and its
/// process is none of those that are killed.
/// </summary>
internal sealed class LedgerServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private Interception? _interception;

    public LedgerServer(Journal journal, IPEndPoint? endPoint = null)
    {
        Journal = journal;
        _listener = new TcpListener(endPoint ?? new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Start();
        EndPoint = (IPEndPoint)_listener.LocalEndpoint;
        _accepting = AcceptAsync();
    }

    public Journal Journal { get; }

    public IPEndPoint EndPoint { get; }

    /// <summary>
    /// Runs <paramref name="action"/> once when the term has written a line that is not the last of its batch, before the replica is
    /// replied to: whatever the action does falls into the middle of its work.
    /// </summary>
    public async Task InterruptBatchAsync(Term term, Action action, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var interception = new Interception(term, action);
        Volatile.Write(ref _interception, interception);
        await interception.Done.Task.WaitAsync(timeout, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                client.NoDelay = true;
                connections.Add(ServeAsync(client));
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The run is over.
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        await using var stream = new LedgerStream(client);
        Term? term = null;
        Fire? fire = null;
        try
        {
            while (await stream.ReceiveAsync<LedgerRequest>(_stop.Token) is { } request)
            {
                var accepted = true;
                switch (request.Kind)
                {
                    case LedgerRequestKind.Begin:
                        term = Journal.Begin(request.Replica, request.Token, request.At);
                        break;
                    case LedgerRequestKind.Append when term is not null:
                        accepted = Journal.Append(term);
                        Intercept(term, request);
                        break;
                    case LedgerRequestKind.End when term is not null:
                        Journal.End(term, request.At);
                        break;
                    case LedgerRequestKind.BeginFire:
                        fire = Journal.BeginFire(request.Replica, request.FireTime, request.Token);
                        break;
                    case LedgerRequestKind.EndFire when fire is not null:
                        Journal.EndFire(fire);
                        break;
                }

                await stream.SendAsync(new LedgerReply(accepted), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The run is over, or the replica died before it got its reply.
        }
        finally
        {
            if (term is not null)
            {
                Journal.Close(term);
            }
        }
    }

    private void Intercept(Term term, LedgerRequest request)
    {
        if (request.MoreFollow && Volatile.Read(ref _interception) is { } interception && interception.Term == term
            && Interlocked.CompareExchange(ref _interception, null, interception) == interception)
        {
            interception.Action();
            interception.Done.TrySetResult();
        }
    }

    private sealed record Interception(Term Term, Action Action)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
