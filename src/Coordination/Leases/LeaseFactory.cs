using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Time;

namespace Coordination.Leases;

/// <summary>Makes requests of this node, leases from what the store grants, and gives back grants that nobody can receive any more.</summary>
internal sealed class LeaseFactory(
    NodeIdentity node, StoreClient store, Watchdog watchdog, LeaseActions actions, LeaseTelemetry telemetry, BackgroundTasks background, CoordinationOptions options, TimeProvider time)
{
    private static readonly TimeSpan GiveBackRetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly LeaseTimings _timings = LeaseTimings.From(options);

    public AcquireRequest CreateRequest(string lockName, LockOwner? owner, LockOptions? lockOptions, bool wait, Occurrence? occurrence = null) => new()
    {
        LockName = lockName,
        Owner = owner ?? node.CreateOwner(),
        Entry = node.NextNumber(),
        LeaseDuration = Timings(lockOptions).Duration,
        ClaimWindow = options.ClaimWindow,
        Wait = wait,
        AllowBarging = lockOptions?.AllowBarging == true,
        Occurrence = occurrence,
    };

    /// <summary>Asks again for what a lease was granted, now for an occurrence: it changes nothing of the lease.</summary>
    public AcquireRequest CreateRequest(Lease lease, Occurrence occurrence) => new()
    {
        LockName = lease.Grant.LockName,
        Owner = lease.Grant.Owner,
        Entry = lease.Grant.Entry,
        LeaseDuration = lease.Timings.Duration,
        ClaimWindow = options.ClaimWindow,
        AllowBarging = lease.Options?.AllowBarging == true,
        Occurrence = occurrence,
    };

    /// <summary>How long one try to acquire may take: an answer that comes much later is a lease with little left of it.</summary>
    public TimeSpan CallLimit(LockOptions? lockOptions) => Timings(lockOptions).RenewalInterval;

    /// <summary>Makes a lease of a grant, unless the answer came so late that its deadline has passed.</summary>
    public bool TryCreate(AcquireRequest request, TimedReply<AcquireReply> answer, LockOptions? lockOptions, [NotNullWhen(true)] out Lease? lease)
    {
        var timings = Timings(lockOptions);
        var grant = new LeaseGrant(request.LockName, request.Owner, request.Entry, answer.Reply.FencingToken!.Value);
        lease = answer.SentAt + timings.Duration - timings.SafetyMargin > time.Uptime
            ? new Lease(grant, timings, lockOptions, answer.SentAt, time, telemetry) { Occurrence = request.Occurrence }
            : null;
        return lease is not null;
    }

    /// <summary>Hands a lease to its holder: from here on it is watched and renewed.</summary>
    public LeaseHandle Activate(Lease lease, ActivityContext trace)
    {
        lease.Activity = CoordinationActivities.StartHold(lease.Grant, trace);
        telemetry.Granted(lease);
        var handle = new LeaseHandle(lease, actions);
        watchdog.Add(lease);
        return handle;
    }

    /// <summary>
    /// Gives back what a request may have been granted and leaves the queue, for nobody waits for the answer any more. Heeds no
    /// caller's cancellation; tries until the grant would have lapsed by itself.
    /// </summary>
    public async Task UndoAsync(AcquireRequest request)
    {
        using var piece = background.Begin();
        var lapsesAt = time.Uptime + request.LeaseDuration;
        var release = new ReleaseRequest
        {
            LockName = request.LockName,
            Owner = request.Owner,
            Entry = request.Entry,
            ClaimWindow = request.ClaimWindow,
            AllowBarging = request.AllowBarging,
            Occurrence = request.Occurrence,
            OccurrenceIsFinished = false,
        };
        while (true)
        {
            try
            {
                await store.ReleaseAsync(release, _timings.CallLimit, lapsesAt + GiveBackRetryDelay).ConfigureAwait(false);
                return;
            }
            catch (LockStoreException e) when (e.IsTransient && time.Uptime < lapsesAt)
            {
                await Task.Delay(GiveBackRetryDelay, time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (LockStoreException)
            {
                // It has lapsed by now, or the store refuses for good and never granted it. The outage was logged.
                return;
            }
        }
    }

    private LeaseTimings Timings(LockOptions? lockOptions) => _timings.Scale(lockOptions?.LeaseDuration ?? _timings.Duration);
}
