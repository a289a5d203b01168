using System.Diagnostics.CodeAnalysis;
using Coordination.Leases;
using Coordination.Resilience;
using Coordination.Stores;

namespace Coordination.Waiting;

/// <summary>
/// A place in the store's queue, shared by this node's waiters of one lock, and the loop that asks for the lock on their behalf.
/// Ends with its last waiter.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of, and may be cancelled after the loop has ended.")]
internal sealed class QueuePlace(PlaceKey key, AcquireRequest? unanswered, WaitingRoom room, LeaseFactory leases, StoreClient store, TimeProvider time)
{
    /// <summary>How long after the holder's time is up a waiter asks again, and how much later each one behind it does.</summary>
    private static readonly TimeSpan WakeAfterExpiry = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan WakeSpread = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan MaxWakeSpread = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Signal _wake = new(time);
    private bool _isClosed;

    /// <summary>Adds a waiter at the end, unless the place has ended.</summary>
    /// <param name="waiter">The waiter.</param>
    /// <param name="isFirst">Whether it is the first one, and the loop is to be started.</param>
    public bool TryAdd(Waiter waiter, out bool isFirst)
    {
        lock (_gate)
        {
            isFirst = _waiters.Count == 0;
            if (!_isClosed)
            {
                _waiters.AddLast(waiter);
            }

            return !_isClosed;
        }
    }

    /// <summary>Takes out a waiter that gave up. The place ends with its last one.</summary>
    public void Remove(Waiter waiter)
    {
        bool closes;
        lock (_gate)
        {
            closes = _waiters.Remove(waiter) && CloseIfEmptyLocked();
        }

        if (closes)
        {
            _closing.Cancel();
        }
    }

    /// <summary>Asks again at once: the lock was passed to this place, or notifications may have been missed.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Asks again after some time at the latest: the lock may then be to be had.</summary>
    public void WakeIn(TimeSpan time)
    {
        if (time > TimeSpan.Zero)
        {
            _wake.SetIn(time + WakeAfterExpiry);
        }
        else
        {
            _wake.Set();
        }
    }

    /// <summary>Ends all waiters with an error.</summary>
    public void Fail(Exception error)
    {
        Waiter[] waiters;
        lock (_gate)
        {
            waiters = [.. _waiters];
            _waiters.Clear();
            _isClosed = true;
        }

        _closing.Cancel();
        foreach (var waiter in waiters)
        {
            waiter.TryFail(error);
        }
    }

    /// <summary>Asks for the lock until every waiter has it or gave up, and leaves the queue.</summary>
    public async Task RunAsync()
    {
        var request = unanswered is null
            ? leases.CreateRequest(key.LockName, key.Owner, key.Options, wait: true)
            : unanswered with { Wait = true };
        var retryDelay = TimeSpan.Zero;
        var asked = unanswered is not null;
        while (!IsClosed)
        {
            try
            {
                // Able to hear first, then ask: a release between the two is not missed.
                room.Announce(request, this);
                await room.EnsureListeningAsync(_closing.Token).ConfigureAwait(false);
                _wake.Reset();
                asked = true;
                var answer = await store.AcquireAsync(request, leases.CallLimit(key.Options), _closing.Token).ConfigureAwait(false);
                retryDelay = TimeSpan.Zero;
                if (!answer.Reply.IsGranted)
                {
                    await _wake.WaitAsync(TimeUntilNextAsk(answer.Reply), _closing.Token).ConfigureAwait(false);
                }
                else if (leases.TryCreate(request, answer, key.Options, out var lease))
                {
                    room.Withdraw(request, this);
                    asked = false;
                    await DeliverAsync(request, lease).ConfigureAwait(false);
                    request = leases.CreateRequest(key.LockName, key.Owner, key.Options, wait: true);
                }
            }
            catch (LockStoreException e) when (e.IsTransient)
            {
                retryDelay = Min(retryDelay + TimeSpan.FromMilliseconds(100), MaxRetryDelay);
                await _wake.WaitAsync(retryDelay, _closing.Token).ConfigureAwait(false);
            }
            catch (LockStoreException e)
            {
                // No retry mends it: each caller has to know.
                Fail(e);
            }
            catch (OperationCanceledException) when (_closing.IsCancellationRequested)
            {
                // The last waiter gave up while the store was asked.
            }
        }

        room.Withdraw(request, this);
        if (asked)
        {
            await leases.GiveBackAsync(request).ConfigureAwait(false);
        }
    }

    private bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _isClosed;
            }
        }
    }

    /// <summary>Gives the lease to the waiter that came first; passes it on when all of them gave up in the same moment.</summary>
    private async Task DeliverAsync(AcquireRequest request, Lease lease)
    {
        while (true)
        {
            Waiter? first;
            lock (_gate)
            {
                first = _waiters.First?.Value;
                if (first is not null)
                {
                    _waiters.RemoveFirst();
                }

                CloseIfEmptyLocked();
            }

            if (first is null)
            {
                await leases.GiveBackAsync(request).ConfigureAwait(false);
                return;
            }

            if (first.TryClaim())
            {
                first.Deliver(leases.Activate(lease, first.Trace));
                return;
            }
        }
    }

    private bool CloseIfEmptyLocked() => _waiters.Count == 0 && (_isClosed = true);

    private static TimeSpan TimeUntilNextAsk(AcquireReply reply)
    {
        var spread = Min(reply.WaitersBefore * WakeSpread, MaxWakeSpread);
        return (reply.Holder?.TimeToLive ?? TimeSpan.Zero) + WakeAfterExpiry + spread;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
