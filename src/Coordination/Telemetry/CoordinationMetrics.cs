using System.Diagnostics.Metrics;

namespace Coordination.Telemetry;

/// <summary>
/// The instruments, named by OpenTelemetry's rules: dots between the words, seconds as the unit, things counted in braces. None of
/// them carries the lock's name: there may be a name per tenant or order, which would blow up every time series.
/// </summary>
internal sealed class CoordinationMetrics : IDisposable
{
    private const string KindTag = "coordination.call.kind";
    private const string OutcomeTag = "coordination.acquire.outcome";

    /// <summary>Buckets in seconds: for calls, for waits and holds, and for what is left of a lease. Those that listeners take by default are for milliseconds.</summary>
    private static readonly InstrumentAdvice<double> OfCalls = Buckets(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);

    private static readonly InstrumentAdvice<double> OfWaits = Buckets(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400);

    private static readonly InstrumentAdvice<double> OfLeases = Buckets(0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 12.5, 15, 30, 60, 300, 3600);

    private readonly TelemetryDispatcher _dispatcher;
    private readonly CoordinationMeter _meter;
    private readonly Histogram<double>? _acquireDuration;
    private readonly Histogram<double>? _renewalDuration;
    private readonly Histogram<double>? _renewalRemaining;
    private readonly Histogram<double>? _holdDuration;
    private readonly Counter<long>? _lost;
    private readonly Counter<long>? _revocations;
    private long _leases;
    private long _waiting;
    private long _standingBy;
    private long _undosDropped;

    /// <param name="factory">Makes the meter.</param>
    /// <param name="dispatcher">Through which measurements go.</param>
    /// <param name="nodeName">The name of the node, where its container has several: a tag of the meter. Null for the node that has none.</param>
    public CoordinationMetrics(IMeterFactory factory, TelemetryDispatcher dispatcher, string? nodeName)
    {
        _dispatcher = dispatcher;
        _meter = new CoordinationMeter(factory, dispatcher, nodeName);

        // Observed, and not told of each change: one that was dropped would make them wrong for ever.
        _meter.Create(meter => meter.CreateObservableUpDownCounter("coordination.lease.active", () => Interlocked.Read(ref _leases), "{lease}", "Leases held by this node."));
        _meter.Create(meter => meter.CreateObservableUpDownCounter("coordination.call.waiting", ObserveWaiting, "{call}", "Calls of this node that wait for a lock, by who waits."));
        _meter.Create(meter => meter.CreateObservableCounter("coordination.undo.dropped", () => Interlocked.Read(ref _undosDropped), "{undo}", "Undos that were dropped, because too many waited for the store."));
        _acquireDuration = _meter.Create(meter => meter.CreateHistogram<double>("coordination.acquire.duration", "s", "From the call to its end, waiting included, by who waits. A call for several locks together is one.", tags: null, OfWaits));
        _renewalDuration = _meter.Create(meter => meter.CreateHistogram<double>("coordination.renewal.duration", "s", "One renewal call, which may carry many leases.", tags: null, OfCalls));
        _renewalRemaining = _meter.Create(meter => meter.CreateHistogram<double>("coordination.renewal.remaining", "s", "How long a lease could still be relied on when its renewal was confirmed.", tags: null, OfLeases));
        _holdDuration = _meter.Create(meter => meter.CreateHistogram<double>("coordination.lease.hold.duration", "s", "From the grant of a lease to its release or loss.", tags: null, OfWaits));
        _lost = _meter.Create(meter => meter.CreateCounter<long>("coordination.lease.lost", "{lease}", "Leases that were lost, by reason."));
        _revocations = _meter.Create(meter => meter.CreateCounter<long>("coordination.lock.revocations", "{lock}", "Locks that this node revoked for an operator."));
        _meter.Create(meter => meter.CreateObservableCounter("coordination.telemetry.dropped", () => dispatcher.Dropped, "{item}", "Log lines and measurements that were dropped, because a sink was too slow."));
        _meter.Create(meter => meter.CreateObservableCounter("coordination.telemetry.failed", () => dispatcher.Failed, "{item}", "Log lines and measurements that a sink threw at."));
    }

    public void LeaseGranted() => Interlocked.Increment(ref _leases);

    public void LeaseEnded(TimeSpan heldFor, LeaseLossReason? reason)
    {
        Interlocked.Decrement(ref _leases);
        Record(_holdDuration, heldFor);
        if (reason is { } why && _lost is { Enabled: true })
        {
            _dispatcher.Post((_lost, why), static told => told._lost.Add(1, new KeyValuePair<string, object?>("coordination.loss.reason", Describe(told.why))));
        }
    }

    /// <summary>Counts a call that waits, until what is returned is disposed.</summary>
    public WaitingCall CallWaits(CallKind kind)
    {
        Interlocked.Increment(ref Waiting(kind));
        return new WaitingCall(this, kind);
    }

    public void Acquired(TimeSpan took, AcquireOutcome outcome, CallKind kind)
    {
        if (_acquireDuration is { Enabled: true })
        {
            _dispatcher.Post(
                (_acquireDuration, took, outcome, kind),
                static told => told._acquireDuration.Record(told.took.TotalSeconds, new(OutcomeTag, Describe(told.outcome)), new(KindTag, Describe(told.kind))));
        }
    }

    public void RenewalEnded(TimeSpan took, bool succeeded) =>
        Record(_renewalDuration, took, "coordination.renewal.outcome", succeeded ? "replied" : "failed");

    public void RenewalConfirmed(TimeSpan remaining) => Record(_renewalRemaining, remaining);

    /// <summary>Learns how many undos were dropped by now.</summary>
    public void UndosDropped(long count) => Interlocked.Exchange(ref _undosDropped, count);

    public void Revoked()
    {
        if (_revocations is { Enabled: true })
        {
            _dispatcher.Post(_revocations, static revocations => revocations.Add(1));
        }
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>A call that is counted as waiting. To be disposed once.</summary>
    public readonly struct WaitingCall(CoordinationMetrics metrics, CallKind kind) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref metrics.Waiting(kind));
    }

    public static string Describe(LeaseLossReason reason) => reason switch
    {
        LeaseLossReason.DeadlinePassed => "deadline_passed",
        LeaseLossReason.NotOwner => "not_owner",
        LeaseLossReason.MaxHoldReached => "max_hold_reached",
        LeaseLossReason.Abandoned => "abandoned",
        LeaseLossReason.Revoked => "revoked",
        LeaseLossReason.ProviderDisposed => "provider_disposed",
        LeaseLossReason.NoProgress => "no_progress",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "An unknown reason for a loss."),
    };

    public static string Describe(AcquireOutcome outcome) => outcome switch
    {
        AcquireOutcome.Granted => "granted",
        AcquireOutcome.Held => "held",
        AcquireOutcome.TimedOut => "timed_out",
        AcquireOutcome.Cancelled => "cancelled",
        AcquireOutcome.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "An unknown outcome of an acquisition."),
    };

    private static string Describe(CallKind kind) => kind == CallKind.Standby ? "standby" : "user";

    private static InstrumentAdvice<double> Buckets(params double[] boundaries) => new() { HistogramBucketBoundaries = boundaries };

    private ref long Waiting(CallKind kind) => ref (kind == CallKind.Standby ? ref _standingBy : ref _waiting);

    private IEnumerable<Measurement<long>> ObserveWaiting() =>
    [
        new(Interlocked.Read(ref _waiting), new KeyValuePair<string, object?>(KindTag, Describe(CallKind.User))),
        new(Interlocked.Read(ref _standingBy), new KeyValuePair<string, object?>(KindTag, Describe(CallKind.Standby))),
    ];

    private void Record(Histogram<double>? histogram, TimeSpan value)
    {
        if (histogram is { Enabled: true })
        {
            _dispatcher.Post((histogram, value), static told => told.histogram.Record(told.value.TotalSeconds));
        }
    }

    private void Record(Histogram<double>? histogram, TimeSpan value, string tag, string tagValue)
    {
        if (histogram is { Enabled: true })
        {
            _dispatcher.Post(
                (histogram, value, tag, tagValue),
                static told => told.histogram.Record(told.value.TotalSeconds, new KeyValuePair<string, object?>(told.tag, told.tagValue)));
        }
    }
}
