using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Terms;

/// <summary>
/// The end of a term: by the loss of the lease, by the host's stop, or because its own node asks for it. Of what is asked for the first cause counts, and
/// nothing happens when the term is over. Safe for use by several threads.
/// </summary>
internal sealed class TermEnding(ILease lease, ServiceLog log, CancellationToken stop) : IAsyncDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, stop);
    private readonly Lock _gate = new();
    private TermEnd? _asked;
    private Task _telling = Task.CompletedTask;
    private bool _isOver;

    /// <summary>Cancelled when the work is to stop.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Why the term is to end; null while it is not.</summary>
    public TermEnd? Cause
    {
        get
        {
            // Not by the token of the work, which follows these two with a delay: the work may have heard of it from them.
            if (lease.Lost.IsCancellationRequested || stop.IsCancellationRequested)
            {
                return lease.Lost.IsCancellationRequested ? TermEnd.Lost : TermEnd.Stopped;
            }

            lock (_gate)
            {
                return _asked;
            }
        }
    }

    /// <summary>How long the node is to stay away after the term. To be read when it is over.</summary>
    public TimeSpan StayAway { get; private set; }

    public void Ask(TermEnd cause, TimeSpan stayAway)
    {
        lock (_gate)
        {
            if (_asked is null && !_isOver)
            {
                (_asked, StayAway) = (cause, stayAway);
                _telling = TellAsync();
            }
        }
    }

    /// <summary>Waits for the callbacks that the work registered on its token, which are work as well.</summary>
    public async ValueTask DisposeAsync()
    {
        Task telling;
        lock (_gate)
        {
            _isOver = true;
            telling = _telling;
        }

        await telling.ConfigureAwait(false);
        _source.Dispose();
    }

    private async Task TellAsync()
    {
        try
        {
            // The token turns cancelled here and now; callbacks go to the pool, for it may be the work that asks.
            await _source.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException exception)
        {
            // A callback that the work had registered on its token threw. The work is awaited all the same.
            log.StopCallbackFailed(exception);
        }
    }
}
