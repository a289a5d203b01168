using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Leases;

/// <summary>
/// Renews all leases of a node, in batches, and trips their deadlines: one thread, one look at a time, whatever the number of leases.
/// Deadlines come first in each look, so that a process that was paused learns of its losses before it renews anything.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    public const int BatchSize = 100;

    /// <summary>How often it looks at least while there are leases: so soon after a suspension of the machine it notices.</summary>
    private static readonly TimeSpan MaxSleep = TimeSpan.FromSeconds(1);

    /// <summary>So much of a suspension no margin minds.</summary>
    private static readonly TimeSpan ALittle = LeaseTimings.MinSafetyMargin / 4;

    private readonly StoreClient _store;
    private readonly LeaseTelemetry _telemetry;
    private readonly TimeProvider _time;
    private readonly LeaseSchedule _schedule = new();
    private readonly DedicatedThread _thread;
    private ClockReading _looked;
    private TimeSpan _wakesAt = TimeSpan.MaxValue;
    private volatile bool _isDisposed;

    public Watchdog(StoreClient store, LeaseTelemetry telemetry, TimeProvider time)
    {
        _store = store;
        _telemetry = telemetry;
        _time = time;
        _looked = time.Reading;
        _thread = new DedicatedThread("Coordination watchdog", time, Look, telemetry.WatchdogFault);
    }

    /// <inheritdoc cref="DedicatedThread.IsIdle"/>
    public bool IsIdle => _thread.IsIdle;

    public void Add(Lease lease)
    {
        var nextEvent = lease.NextEvent;
        _schedule.Add(lease, nextEvent);
        if (_isDisposed)
        {
            // The disposal came between the grant and this, and may not have seen this lease.
            lease.Lose(LeaseLossReason.ProviderDisposed);
            return;
        }

        _thread.WakeAt(nextEvent);
    }

    public void Remove(Lease lease) => _schedule.Remove(lease);

    /// <summary>Looks at a lease when it has to be looked at next, which may have changed.</summary>
    public void Reschedule(Lease lease)
    {
        var nextEvent = lease.NextEvent;
        _schedule.Move(lease, nextEvent);
        _thread.WakeAt(nextEvent);
    }

    /// <summary>Ends leases whose lock an operator revoked.</summary>
    public void Revoke(string lockName, LockOwner owner, long fencingToken)
    {
        foreach (var lease in _schedule.All)
        {
            if (lease.Grant.LockName == lockName && lease.Grant.Owner == owner && lease.Grant.FencingToken == fencingToken)
            {
                lease.Lose(LeaseLossReason.Revoked);
                Remove(lease);
            }
        }
    }

    /// <summary>Passes on to the holders of a grant that they are asked to step down.</summary>
    public void AskToStepDown(string lockName, LockOwner owner, long fencingToken, StepDownRequest request)
    {
        foreach (var lease in _schedule.All)
        {
            if (lease.Grant.LockName == lockName && lease.Grant.Owner == owner && lease.Grant.FencingToken == fencingToken)
            {
                lease.AskToStepDown(request);
            }
        }
    }

    /// <summary>Ends the thread, and every lease that is held still: nobody would tell its holder any more.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _thread.Dispose();
        foreach (var lease in _schedule.All)
        {
            lease.Lose(LeaseLossReason.ProviderDisposed);
        }
    }

    /// <summary>Does what is due.</summary>
    /// <returns>When to look again.</returns>
    private TimeSpan Look()
    {
        _telemetry.Stalls.Woke(Min(_wakesAt, _schedule.Next), _time.Uptime);
        DoubtAfterSuspension();
        var now = _time.Uptime;
        var due = _schedule.DueBy(now);
        due.RemoveAll(lease => !Stands(lease));
        if (due.Count > 0)
        {
            // What is due soon goes along. Together go only leases of the same timings, so that none limits the calls of another, and
            // of the same partition of the store, because one part of it may be away alone.
            var soon = _schedule.DueBy(now + due.Max(lease => lease.Timings.BatchingWindow));
            soon.RemoveAll(lease => !Stands(lease));
            foreach (var batch in Batches(soon))
            {
                // Each batch goes its own way: one that hangs or fails holds up no other.
                _ = RenewAndRescheduleAsync(batch);
            }

            // Their deadlines are watched while they are renewed.
            due.ForEach(lease => _schedule.Move(lease, lease.NextEvent));
        }

        // A renewal that waits while the store is away does not wait for the pool's timers.
        var nextPass = _store.LetPass();
        var next = Min(_schedule.Next, nextPass);
        return _wakesAt = next == TimeSpan.MaxValue ? next : Min(next, now + MaxSleep);
    }

    /// <summary>There may be many leases, of which mostly all are alike.</summary>
    private List<List<Lease>> Batches(List<Lease> leases)
    {
        var batches = new List<List<Lease>>();
        var open = new Dictionary<(LeaseTimings, int), List<Lease>>();
        List<Lease>? last = null;
        (LeaseTimings Timings, int Partition) lastKind = default;
        foreach (var lease in leases)
        {
            var kind = (lease.Timings, _store.PartitionOf(lease.Grant.LockName));
            if (last is null || kind != lastKind)
            {
                open.TryGetValue(kind, out last);
                lastKind = kind;
            }

            if (last is null or { Count: BatchSize })
            {
                batches.Add(open[kind] = last = new List<Lease>(Math.Min(BatchSize, leases.Count)));
            }

            last.Add(lease);
        }

        return batches;
    }

    /// <summary>Every lease by its own count, for several short suspensions add up; and only when there was any, for there may be many leases.</summary>
    private void DoubtAfterSuspension()
    {
        var now = _time.Reading;
        var suspended = _looked.SuspendedUntil(now);
        if (suspended >= TimeSpan.Zero && suspended < ALittle)
        {
            return;
        }

        _looked = now;
        var doubtful = _schedule.All.Where(lease => lease.DoubtIfSuspended()).ToList();
        if (doubtful.Count > 0)
        {
            _telemetry.Suspended(doubtful.Max(lease => lease.Deadline.ConfirmedAt.SuspendedUntil(now)));
        }

        doubtful.ForEach(lease => _schedule.Move(lease, lease.NextEvent));
    }

    /// <summary>Trips what is overdue, and drops what has ended.</summary>
    private bool Stands(Lease lease)
    {
        if (!lease.LoseIfOverdue())
        {
            Remove(lease);
        }

        return lease.IsActive;
    }

    private async Task RenewAndRescheduleAsync(List<Lease> batch)
    {
        try
        {
            await RenewAsync(batch).ConfigureAwait(true);
        }
        finally
        {
            // Whatever came of it: a lease that nobody looks at any more would never be lost.
            batch.ForEach(Reschedule);
        }
    }

    /// <summary>Renews leases of the same timings now: those that end meanwhile are left out, and no failure reaches the caller.</summary>
    private async Task RenewAsync(List<Lease> batch)
    {
        // Released leases wait for this to complete before their release is sent.
        var completion = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        batch.RemoveAll(lease => !lease.TryBeginRenewal(completion.Task));
        if (batch.Count == 0)
        {
            return;
        }

        var begunAt = _time.Uptime;
        var succeeded = false;
        try
        {
            // Not past the last deadline, and at each attempt only those that still stand: what is renewed after its holder was
            // told only keeps the next one waiting.
            using var deadline = new CancellationTokenSource(batch.Max(lease => lease.UntilDeadline), _time);
            var sent = batch;
            var replies = await _store.RenewAsync(
                batch[0].Grant.LockName,
                () =>
                {
                    sent = OfOnePartition(batch.FindAll(lease => lease.LoseIfOverdue()));
                    return sent.ConvertAll(lease => Node.Renew(lease.Grant));
                },
                batch[0].Timings.CallLimit,
                continueOnCapturedContext: true,
                deadline.Token).ConfigureAwait(true); // The captured context is the watchdog's own thread; the pool may have none to spare.
            succeeded = true;
            for (var i = 0; i < sent.Count; i++)
            {
                if (replies.Reply[i] == RenewalReply.Unknown)
                {
                    // As if its renewal had failed alone.
                    Fail([sent[i]], new LockStoreException($"The store could not say whether the lock '{sent[i].Grant.LockName}' is held.", isTransient: true));
                }
                else if (sent[i].Learn(replies.Reply[i], replies.SentAt))
                {
                    _telemetry.RenewalConfirmed(sent[i].Remaining);
                }
            }
        }
        catch (Exception e) when (e is LockStoreException or OperationCanceledException)
        {
            Fail(batch, e);
        }
        catch (Exception e)
        {
            // A fault of ours or of the store's, which must cost this batch one renewal and the others nothing.
            _telemetry.WatchdogFault(e);
            Fail(batch, e);
        }
        finally
        {
            batch.ForEach(lease => lease.EndRenewal());
            completion.SetResult(true);
            _telemetry.RenewalEnded(_time.Uptime - begunAt, succeeded);
        }
    }

    /// <summary>
    /// The leases of the first one's partition, as the store tells it now: it may have learned of its partitions since the batch was made.
    /// The others are due still, and are grouped anew.
    /// </summary>
    private List<Lease> OfOnePartition(List<Lease> leases)
    {
        if (leases.Count > 1)
        {
            var partition = _store.PartitionOf(leases[0].Grant.LockName);
            leases.RemoveAll(lease => _store.PartitionOf(lease.Grant.LockName) != partition);
        }

        return leases;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static void Fail(List<Lease> batch, Exception error)
    {
        foreach (var lease in batch)
        {
            lease.Hold?.RenewalFailed(error);
            lease.FailRenewal();
        }
    }
}
