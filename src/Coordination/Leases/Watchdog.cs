using System.Collections.Concurrent;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Leases;

/// <summary>
/// Renews all leases of a node, in batches, and trips their deadlines: one thread, one look at a time, whatever the number of leases.
/// Deadlines come first in each look, so that a process that was paused learns of its losses before it renews anything.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    public const int BatchSize = 100;

    private readonly StoreClient _store;
    private readonly LeaseTelemetry _telemetry;
    private readonly CoordinationMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<Lease, byte> _leases = new();
    private readonly WatchdogThread _thread;
    private volatile bool _isDisposed;

    public Watchdog(StoreClient store, LeaseTelemetry telemetry, CoordinationMetrics metrics, TimeProvider time, ILogger<Watchdog> logger)
    {
        _store = store;
        _telemetry = telemetry;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _thread = new WatchdogThread(time, Look, e => Log.WatchdogFault(_logger, e));
    }

    /// <inheritdoc cref="WatchdogThread.IsIdle"/>
    public bool IsIdle => _thread.IsIdle;

    public void Add(Lease lease)
    {
        _leases.TryAdd(lease, 0);
        if (_isDisposed)
        {
            // The disposal came between the grant and this, and may not have seen this lease.
            lease.Lose(LeaseLossReason.ProviderDisposed);
            return;
        }

        _thread.WakeAt(lease.NextEvent);
    }

    public void Remove(Lease lease) => _leases.TryRemove(lease, out _);

    /// <summary>Ends the thread, and every lease that is held still: nobody would tell its holder any more.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _thread.Dispose();
        foreach (var (lease, _) in _leases)
        {
            lease.Lose(LeaseLossReason.ProviderDisposed);
        }
    }

    /// <summary>Renews leases of the same timings now: those that end meanwhile are left out, and no failure reaches the caller.</summary>
    private async Task RenewAsync(List<Lease> batch)
    {
        // Released leases wait for this to complete before their release is sent.
        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
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
            using var deadline = new CancellationTokenSource(batch.Max(lease => lease.Remaining), _time);
            var sent = batch;
            var answer = await _store.RenewAsync(
                () =>
                {
                    sent = batch.FindAll(lease => lease.LoseIfOverdue());
                    return sent.ConvertAll(lease => new RenewalRequest(lease.Grant.LockName, lease.Grant.Owner, lease.Timings.Duration));
                },
                batch[0].Timings.CallLimit,
                deadline.Token).ConfigureAwait(true); // The captured context is the watchdog's own thread; the pool may have none to spare.
            succeeded = true;
            for (var i = 0; i < sent.Count; i++)
            {
                TakeIn(sent[i], answer.Reply[i], answer.SentAt);
            }
        }
        catch (Exception e) when (e is LockStoreException or OperationCanceledException)
        {
            Fail(batch, e);
        }
        catch (Exception e)
        {
            // A fault of ours or of the store's, which must cost this batch one renewal and the others nothing.
            Log.WatchdogFault(_logger, e);
            Fail(batch, e);
        }
        finally
        {
            batch.ForEach(lease => lease.EndRenewal());
            completion.SetResult();
            _metrics.RenewalEnded(_time.Uptime - begunAt, succeeded);
        }
    }

    private void TakeIn(Lease lease, bool stands, TimeSpan sentAt)
    {
        if (!stands)
        {
            lease.Lose(LeaseLossReason.NotOwner);
        }
        else if (lease.ConfirmRenewal(sentAt))
        {
            _telemetry.RenewalConfirmed(lease);
        }
    }

    private static void Fail(List<Lease> batch, Exception error)
    {
        foreach (var lease in batch)
        {
            LeaseTelemetry.RenewalFailed(lease, error);
            lease.FailRenewal();
        }
    }

    /// <summary>Does what is due.</summary>
    /// <returns>When to look again.</returns>
    private TimeSpan Look()
    {
        var live = new List<Lease>(_leases.Count);
        foreach (var (lease, _) in _leases)
        {
            if (lease.LoseIfOverdue())
            {
                live.Add(lease);
            }
            else
            {
                Remove(lease);
            }
        }

        var now = _time.Uptime;
        if (live.Exists(lease => lease.NextEvent <= now))
        {
            // Together go only leases of the same timings, so that none limits the calls of another, and of the same partition of the
            // store, for one part of it may be away alone.
            var due = live.Where(lease => lease.NextEvent - lease.Timings.BatchingWindow <= now);
            foreach (var batch in due.GroupBy(lease => (lease.Timings, _store.PartitionOf(lease.Grant.LockName))).SelectMany(group => group.Chunk(BatchSize)))
            {
                // Each batch goes its own way: one that hangs or fails holds up no other.
                _ = RenewAndLookAgainAsync([.. batch]);
            }
        }

        return live.Count == 0 ? TimeSpan.MaxValue : live.Min(lease => lease.NextEvent);
    }

    private async Task RenewAndLookAgainAsync(List<Lease> batch)
    {
        await RenewAsync(batch).ConfigureAwait(true);
        foreach (var lease in batch)
        {
            _thread.WakeAt(lease.NextEvent);
        }
    }
}
