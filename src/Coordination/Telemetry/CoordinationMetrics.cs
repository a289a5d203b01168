using System.Diagnostics.Metrics;

namespace Coordination.Telemetry;

/// <summary>
/// The instruments, named by OpenTelemetry's rules: dots between the words, seconds as the unit, things counted in braces. None of
/// them carries the lock's name: there may be a name per tenant or order, which would blow up every time series.
/// </summary>
internal sealed class CoordinationMetrics : IDisposable
{
    private readonly TelemetryDispatcher _dispatcher;
    private readonly Meter _meter;
    private readonly Histogram<double> _acquireDuration;
    private readonly Histogram<double> _renewalDuration;
    private readonly Histogram<double> _renewalRemaining;
    private readonly Histogram<double> _holdDuration;
    private readonly Counter<long> _lost;
    private readonly Counter<long> _revocations;
    private long _leases;
    private long _waiting;
    private long _undosDropped;

    public CoordinationMetrics(IMeterFactory factory, TelemetryDispatcher dispatcher)
    {
        _dispatcher = dispatcher;
        _meter = factory.Create(CoordinationInstrumentation.MeterName);

        // Observed, and not told of each change: one that was dropped would make them wrong for ever.
        _meter.CreateObservableUpDownCounter("coordination.lease.active", () => Interlocked.Read(ref _leases), "{lease}", "Leases held by this node.");
        _meter.CreateObservableUpDownCounter("coordination.call.waiting", () => Interlocked.Read(ref _waiting), "{call}", "Calls of this node that wait for a lock.");
        _meter.CreateObservableCounter("coordination.undo.dropped", () => Interlocked.Read(ref _undosDropped), "{undo}", "Undos that were dropped, because too many waited for the store.");
        _acquireDuration = _meter.CreateHistogram<double>("coordination.acquire.duration", "s", "From the call to its end, waiting included.");
        _renewalDuration = _meter.CreateHistogram<double>("coordination.renewal.duration", "s", "One renewal call, which may carry many leases.");
        _renewalRemaining = _meter.CreateHistogram<double>("coordination.renewal.remaining", "s", "How long a lease could still be relied on when its renewal was confirmed.");
        _holdDuration = _meter.CreateHistogram<double>("coordination.lease.hold.duration", "s", "From the grant of a lease to its release or loss.");
        _lost = _meter.CreateCounter<long>("coordination.lease.lost", "{lease}", "Leases that were lost, by reason.");
        _revocations = _meter.CreateCounter<long>("coordination.lock.revocations", "{lock}", "Locks that this node revoked for an operator.");
        _meter.CreateObservableCounter("coordination.telemetry.dropped", () => dispatcher.Dropped, "{item}", "Log lines and measurements that were dropped, because a sink was too slow.");
        _meter.CreateObservableCounter("coordination.telemetry.failed", () => dispatcher.Failed, "{item}", "Log lines and measurements that a sink threw at.");
    }

    public void LeaseGranted() => Interlocked.Increment(ref _leases);

    public void LeaseEnded(TimeSpan heldFor, LeaseLossReason? reason)
    {
        Interlocked.Decrement(ref _leases);
        Record(_holdDuration, heldFor);
        if (reason is { } why && _lost.Enabled)
        {
            _dispatcher.Post((_lost, why), static told => told._lost.Add(1, new KeyValuePair<string, object?>("coordination.loss.reason", Describe(told.why))));
        }
    }

    /// <summary>Counts a call that waits, until what is returned is disposed.</summary>
    public WaitingCall CallWaits()
    {
        Interlocked.Increment(ref _waiting);
        return new WaitingCall(this);
    }

    public void Acquired(TimeSpan took, AcquireOutcome outcome) => Record(_acquireDuration, took, "coordination.acquire.outcome", Describe(outcome));

    public void RenewalEnded(TimeSpan took, bool succeeded) =>
        Record(_renewalDuration, took, "coordination.renewal.outcome", succeeded ? "replied" : "failed");

    public void RenewalConfirmed(TimeSpan remaining) => Record(_renewalRemaining, remaining);

    /// <summary>Learns how many undos were dropped by now.</summary>
    public void UndosDropped(long count) => Interlocked.Exchange(ref _undosDropped, count);

    public void Revoked()
    {
        if (_revocations.Enabled)
        {
            _dispatcher.Post(_revocations, static revocations => revocations.Add(1));
        }
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>A call that is counted as waiting. To be disposed once.</summary>
    public readonly struct WaitingCall(CoordinationMetrics metrics) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref metrics._waiting);
    }

    public static string Describe(LeaseLossReason reason) => reason switch
    {
        LeaseLossReason.DeadlinePassed => "deadline_passed",
        LeaseLossReason.NotOwner => "not_owner",
        LeaseLossReason.MaxHoldReached => "max_hold_reached",
        LeaseLossReason.Abandoned => "abandoned",
        LeaseLossReason.Revoked => "revoked",
        LeaseLossReason.ProviderDisposed => "provider_disposed",
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

    private void Record(Histogram<double> histogram, TimeSpan value)
    {
        if (histogram.Enabled)
        {
            _dispatcher.Post((histogram, value), static told => told.histogram.Record(told.value.TotalSeconds));
        }
    }

    private void Record(Histogram<double> histogram, TimeSpan value, string tag, string tagValue)
    {
        if (histogram.Enabled)
        {
            _dispatcher.Post(
                (histogram, value, tag, tagValue),
                static told => told.histogram.Record(told.value.TotalSeconds, new KeyValuePair<string, object?>(told.tag, told.tagValue)));
        }
    }
}
