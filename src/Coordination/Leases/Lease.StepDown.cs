namespace Coordination.Leases;

/// <content>Its holder may be asked to end its work and to let the lock pass, which changes nothing of the lease.</content>
internal sealed partial class Lease
{
    private CancellationTokenSource? _stepDownRequested;
    private StepDownAsks? _stepDownAsks;

    /// <summary>Made for who asks for it, as <see cref="Lost"/>.</summary>
    public CancellationToken StepDownRequested
    {
        get
        {
            var requested = _stepDownRequested ?? Interlocked.CompareExchange(ref _stepDownRequested, new CancellationTokenSource(), null) ?? _stepDownRequested;
            if (StepDownRequest is not null && !requested.IsCancellationRequested)
            {
                // It was asked in this moment, and whoever asked may not have seen the source.
                _telemetry.ObserveStepDownCallbacks(Grant, requested.CancelAsync());
            }

            return requested.Token;
        }
    }

    /// <summary>What its holder was asked last; null when it was not.</summary>
    public StepDownRequest? StepDownRequest => Volatile.Read(ref _stepDownAsks)?.Last;

    /// <summary>Whether the store was made ready for transactions that the lease guards.</summary>
    public bool IsReadyToGuard { get; set; }

    /// <summary>The node that the lock is to pass to when it is released; null for whoever is next.</summary>
    public string? Successor { get; set; }

    /// <summary>Learns that its holder is asked to step down; the lease stands. One that has ended stays as it is.</summary>
    public void AskToStepDown(StepDownRequest request)
    {
        if (!IsActive)
        {
            return;
        }

        StepDownAsks? before, after;
        do
        {
            before = Volatile.Read(ref _stepDownAsks);
            after = StepDownAsks.After(before, request);
        }
        while (Interlocked.CompareExchange(ref _stepDownAsks, after, before) != before);

        if (Volatile.Read(ref _stepDownRequested) is { IsCancellationRequested: false } requested)
        {
            // Only the callbacks go to the pool, as those of a loss.
            _telemetry.ObserveStepDownCallbacks(Grant, requested.CancelAsync());
        }
    }
}
