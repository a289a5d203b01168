using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Execution;

/// <summary>
/// The end of work under a lease: by the loss of the lease, by a stop, or because its own node asks for it. Of what is asked for the first cause counts, and
/// what was said last of the node's absence and of who is next: an operator may think of it while the work still ends. Nothing ends when the work is over. Safe for use by several threads.
/// </summary>
internal sealed class WorkEnding(ILease lease, ServiceLog log, CancellationToken stop) : IAsyncDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, stop);
    private readonly Lock _gate = new();
    private WorkEnd? _asked;
    private StepDownRequest? _heard;
    private long? _overruled;
    private Task _telling = Task.CompletedTask;
    private bool _isOver;

    /// <summary>Cancelled when the work is to stop.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>How long the node is to stay away after the work. To be read when that is over.</summary>
    public TimeSpan StayAway { get; private set; }

    /// <summary>Whether the work is to end, also where its token does not say so yet.</summary>
    public bool IsAsked => Cause is not null;

    /// <summary>Why the work is to end; null while it is not.</summary>
    private WorkEnd? Cause
    {
        get
        {
            // Not by the token of the work, which follows these two with a delay: the work may have heard of it from them.
            if (lease.Lost.IsCancellationRequested || stop.IsCancellationRequested)
            {
                return lease.Lost.IsCancellationRequested ? WorkEnd.Lost : WorkEnd.Stopped;
            }

            lock (_gate)
            {
                return _asked;
            }
        }
    }

    /// <summary>The node that the lock is to pass to; null for the first in the queue. To be read when the work is over.</summary>
    public string? Successor { get; private set; }

    /// <param name="cause">Why the work is to end.</param>
    /// <param name="stayAway">How long the node is to stay away; zero leaves what was said before.</param>
    /// <param name="successor">The node that is next; null leaves what was said before.</param>
    public void Ask(WorkEnd cause, TimeSpan stayAway, string? successor = null)
    {
        lock (_gate)
        {
            // What others asked before comes first, for the token tells of the first request alone. And they say it again and again.
            Hear();
            _overruled = stayAway > TimeSpan.Zero || successor is not null ? _heard?.Call : _overruled;
            Take(cause, stayAway, successor);
        }
    }

    /// <inheritdoc cref="Ask(WorkEnd, TimeSpan, string?)"/>
    public void Ask(StepDownRequest request) => Ask(WorkEnd.SteppedDown, request.StayAway, request.Successor);

    /// <summary>Asks what others asked the holder of the lease last; nothing where they did not, or this node asked something else since.</summary>
    public void Hear()
    {
        lock (_gate)
        {
            if (lease.StepDownRequest is { } request && request != _heard && (request.Call != _overruled || request.Call == 0))
            {
                (_heard, _overruled) = (request, null);
                Take(WorkEnd.SteppedDown, request.StayAway, request.Successor);
            }
        }
    }

    /// <summary>Asks for the end when others ask the holder of the lease to step down.</summary>
    /// <returns>Ends that, and waits for what is under way of it.</returns>
    public CancellationTokenRegistration ObeyStepDown() => lease.StepDownRequested.UnsafeRegister(_ => Hear(), null);

    /// <summary>Judges how work ended that has returned or thrown in this moment. What it was told comes before what it did: it may have returned early.</summary>
    /// <param name="failure">What it threw; null for nothing.</param>
    public WorkResult Judge(Exception? failure) => Cause is not { } cause
        ? new WorkResult(failure is null ? WorkEnd.Completed : WorkEnd.Failed, failure)
        : new WorkResult(cause, failure is OperationCanceledException ? null : failure);

    /// <summary>Waits for the callbacks that the work registered on its token, which are work as well.</summary>
    /// <remarks>Not to be called on the thread of such a callback, which cannot wait for itself.</remarks>
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

    /// <summary>To be called inside the gate.</summary>
    private void Take(WorkEnd cause, TimeSpan stayAway, string? successor)
    {
        StayAway = stayAway > TimeSpan.Zero ? stayAway : StayAway;
        Successor = successor ?? Successor;
        if (_asked is null && !_isOver)
        {
            _asked = cause;
            _telling = TellAsync();
        }
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
