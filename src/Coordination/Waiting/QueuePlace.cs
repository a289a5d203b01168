using System.Diagnostics.CodeAnalysis;
using Coordination.Leases;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Waiting;

/// <summary>
/// A place in the store's queue, shared by this node's waiters of one lock, and the loop that asks for the lock on their behalf.
/// Ends with its last waiter. It may be reserved while the first of them asks for the lock by itself, so that those who come
/// meanwhile stand behind it; the loop begins after that.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of, and may be cancelled after the loop has ended.")]
internal sealed class QueuePlace(WaitKey key, bool isReserved, WaitingRoom room, LeaseFactory leases, StoreClient store, TimeProvider time)
{
    /// <summary>How long after the holder's time is up a waiter asks again, and how much later each one behind it does.</summary>
    private static readonly TimeSpan WakeAfterExpiry = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan WakeSpread = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan MaxWakeSpread = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private bool _isReserved = isReserved;
    private bool _isClosed;
    private AcquireRequest? _unanswered;

    /// <summary>The token of the holder that this place was the first to wait for; null while others are before it.</summary>
    private long? _firstBehind;
    private bool _missedItsTurn;

    // Most places end before anybody waits in them.
    private LinkedList<Waiter>? _waiters;
    private CancellationTokenSource? _closing;
    private Signal? _wake;

    private LinkedList<Waiter> Waiters => _waiters ??= new LinkedList<Waiter>();

    private CancellationTokenSource Closing => _closing ?? Interlocked.CompareExchange(ref _closing, new CancellationTokenSource(), null) ?? _closing;

    private Signal WakeUp => _wake ?? Interlocked.CompareExchange(ref _wake, new Signal(time), null) ?? _wake;

    /// <summary>Adds a waiter at the end, unless the place has ended.</summary>
    /// <param name="waiter">The waiter.</param>
    /// <param name="starts">Whether the loop is to be started now.</param>
    public bool TryAdd(Waiter waiter, out bool starts)
    {
        lock (_gate)
        {
            starts = Waiters.Count == 0 && !_isReserved && !_isClosed;
            if (!_isClosed)
            {
                Waiters.AddLast(waiter);
            }

            return !_isClosed;
        }
    }

    /// <summary>Whoever reserved the place has to wait, before all who came meanwhile. The loop is to be started.</summary>
    /// <param name="waiter">The waiter.</param>
    /// <param name="unanswered">A request of it that may have been applied, with which the loop is to go on; null for none.</param>
    public bool TryAddFirst(Waiter waiter, AcquireRequest? unanswered)
    {
        lock (_gate)
        {
            _isReserved = false;
            _unanswered = unanswered;
            if (!_isClosed)
            {
                Waiters.AddFirst(waiter);
            }

            return !_isClosed;
        }
    }

    /// <summary>Whoever reserved the place does not need it.</summary>
    /// <returns>Whether others came meanwhile, and the loop is to be started; else the place has ended.</returns>
    public bool EndReservation()
    {
        lock (_gate)
        {
            _isReserved = false;
            return !_isClosed && !CloseIfEmptyLocked();
        }
    }

    /// <summary>Takes out a waiter that gave up. The place ends with its last one.</summary>
    public void Remove(Waiter waiter)
    {
        bool closes;
        lock (_gate)
        {
            closes = Waiters.Remove(waiter) && !_isReserved && CloseIfEmptyLocked();
        }

        if (closes)
        {
            Closing.Cancel();
        }
    }

    /// <summary>Asks again at once: the lock was passed to this place, or notifications may have been missed.</summary>
    public void Wake() => WakeUp.Set();

    /// <summary>Asks again after some time at the latest: the lock may then be to be had.</summary>
    public void WakeIn(TimeSpan time)
    {
        if (time > TimeSpan.Zero)
        {
            WakeUp.SetIn(time + WakeAfterExpiry);
        }
        else
        {
            WakeUp.Set();
        }
    }

    /// <summary>Ends all waiters with an error.</summary>
    public void Fail(Exception error)
    {
        Waiter[] waiters;
        lock (_gate)
        {
            waiters = [.. Waiters];
            Waiters.Clear();
            _isClosed = true;
        }

        Closing.Cancel();
        foreach (var waiter in waiters)
        {
            waiter.TryFail(error);
        }
    }

    /// <summary>Asks for the lock until every waiter has it or gave up, and leaves the queue.</summary>
    public async Task RunAsync()
    {
        var request = _unanswered is null
            ? leases.CreateRequest(key.LockName, key.Owner, key.Options, wait: true)
            : _unanswered with { Wait = true };
        var retryDelay = TimeSpan.Zero;
        var asked = _unanswered is not null;
        while (!IsClosed)
        {
            try
            {
                // Able to hear first, then ask: a release between the two is not missed.
                room.Announce(request, this);
                await room.EnsureListeningAsync().ConfigureAwait(false);
                WakeUp.Reset();
                asked = true;
                var answer = await store.AcquireAsync(request, leases.CallLimit(key.Options), Closing.Token).ConfigureAwait(false);
                retryDelay = TimeSpan.Zero;
                if (!answer.Reply.IsGranted)
                {
                    await WakeUp.WaitAsync(TimeUntilNextAsk(request, answer.Reply), Closing.Token).ConfigureAwait(false);
                }
                else if (leases.TryCreate(request, answer, key.Options, out var lease))
                {
                    room.Withdraw(request, this);
                    (asked, _firstBehind, _missedItsTurn) = (false, null, false);
                    await DeliverAsync(request, lease).ConfigureAwait(false);
                    request = leases.CreateRequest(key.LockName, key.Owner, key.Options, wait: true);
                }
            }
            catch (LockStoreException e) when (e.IsTransient)
            {
                retryDelay = Min(retryDelay + TimeSpan.FromMilliseconds(100), MaxRetryDelay);
                await WakeUp.WaitAsync(retryDelay, Closing.Token).ConfigureAwait(false);
            }
            catch (LockStoreException e)
            {
                // No retry mends it: each caller has to know.
                Fail(e);
            }
            catch (OperationCanceledException) when (Closing.IsCancellationRequested)
            {
                // The last waiter gave up while the store was asked.
            }
        }

        room.Withdraw(request, this);
        if (asked)
        {
            await leases.UndoAsync(request).ConfigureAwait(false);
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
                first = Waiters.First?.Value;
                if (first is not null)
                {
                    Waiters.RemoveFirst();
                }

                CloseIfEmptyLocked();
            }

            if (first is null)
            {
                await leases.UndoAsync(request).ConfigureAwait(false);
                return;
            }

            if (first.TryClaim())
            {
                first.Deliver(leases.Activate(lease, first.Trace));
                return;
            }
        }
    }

    private bool CloseIfEmptyLocked() => Waiters.Count == 0 && (_isClosed = true);

    private TimeSpan TimeUntilNextAsk(AcquireRequest request, AcquireReply reply)
    {
        // It was the first behind one holder, and now another holds the lock: its turn came, its claim window ended, and it heard of neither.
        // That may be so each time, for ever. So until it has the lock it asks within the claim window, whatever it hears.
        _missedItsTurn |= _firstBehind is { } token && reply.Holder is { } holder && holder.FencingToken != token && !request.AllowBarging;
        _firstBehind = reply.WaitersBefore == 0 ? reply.Holder?.FencingToken : null;
        var spread = Min(reply.WaitersBefore * WakeSpread, MaxWakeSpread);
        var untilExpiry = (reply.Holder?.TimeToLive ?? TimeSpan.Zero) + WakeAfterExpiry + spread;
        return _missedItsTurn ? Min(untilExpiry, request.ClaimWindow / 2) : untilExpiry;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
