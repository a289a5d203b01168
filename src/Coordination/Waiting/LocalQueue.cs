using Coordination.Time;

namespace Coordination.Waiting;

/// <summary>
/// The calls of this node that want a lock in the same way, in the order in which they came. The first one, or as many as can hold the lock beside each other, ask the store, and those that
/// come meanwhile stand behind them. When one has the lock, or gives up, its turn goes to the next one.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class LocalQueue(TimeProvider time)
{
    /// <summary>An ask without a reply for so long says that the store is away. Of one that began later a reply may be about to come.</summary>
    private static readonly TimeSpan ReplyTime = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();

    // Mostly there is one call, whose turn it is at once.
    private LinkedList<TaskCompletionSource<Waiter?>>? _behind;
    private int _inTurn;
    private int _asking;
    private long _askedAt = long.MaxValue;
    private LockStoreException? _failure;

    /// <summary>Whether no call has stood behind another: then nobody but the one that leaves looks at it any more.</summary>
    public bool WasOfOne => _behind is null;

    /// <summary>Enters at the end.</summary>
    /// <param name="turns">How many calls have a turn at a time.</param>
    /// <returns>Where to wait for the turn, by <see cref="TakeTurnAsync"/>; null when it is the caller's turn now.</returns>
    public LinkedListNode<TaskCompletionSource<Waiter?>>? Enter(int turns)
    {
        lock (_gate)
        {
            if (_inTurn < turns)
            {
                _inTurn++;
                return null;
            }

            _behind ??= new();
            return _behind.AddLast(new TaskCompletionSource<Waiter?>(TaskCreationOptions.RunContinuationsAsynchronously));
        }
    }

    /// <summary>Waits for the turn. Whoever has it passes it on in the end, by <see cref="TryPassTurn"/>.</summary>
    /// <returns>The waiter that the call before did not get the lock by, to go on with; null when there is none.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled before the turn came, and the place is left.</exception>
    public async Task<Waiter?> TakeTurnAsync(LinkedListNode<TaskCompletionSource<Waiter?>> place, CancellationToken cancellationToken)
    {
        try
        {
            return await place.Value.Task.WithinAsync(Timeout.InfiniteTimeSpan, time, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!TryLeave(place))
        {
            // The turn came in the same moment.
            return await place.Value.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Passes the turn on.</summary>
    /// <param name="waiter">The waiter that the next call is to go on with; null for none.</param>
    /// <param name="isEmpty">Whether there is no other call, with a turn or without.</param>
    /// <returns>False when no call waits for a turn.</returns>
    public bool TryPassTurn(Waiter? waiter, out bool isEmpty)
    {
        TaskCompletionSource<Waiter?> next;
        lock (_gate)
        {
            if (_behind?.First is not { } first)
            {
                isEmpty = --_inTurn == 0;
                return false;
            }

            _behind.RemoveFirst();
            next = first.Value;
            isEmpty = false;
        }

        next.SetResult(waiter);
        return true;
    }

    /// <summary>Learns that the store is asked for the lock, by a call whose turn it is.</summary>
    public void AskBegins()
    {
        lock (_gate)
        {
            if (_asking++ == 0)
            {
                Volatile.Write(ref _askedAt, time.Uptime.Ticks);
            }
        }
    }

    /// <summary>Learns what came of it.</summary>
    /// <param name="failure">Why the store could not be asked; null for a reply.</param>
    public void AskEnds(LockStoreException? failure)
    {
        lock (_gate)
        {
            Volatile.Write(ref _failure, failure);

            // Of a store that replied to one, what the others have waited for so far says nothing.
            Volatile.Write(ref _askedAt, --_asking == 0 ? long.MaxValue : time.Uptime.Ticks);
        }
    }

    /// <summary>Forgets what came of the last ask: the queue is to be another's.</summary>
    public void Clear() => Volatile.Write(ref _failure, null);

    /// <summary>Learns that whoever asked gives up before there was a reply.</summary>
    /// <inheritdoc cref="FindFailure" path="/param"/>
    public void AskIsGivenUp(LockStoreException? away) => AskEnds(FindFailure(away));

    /// <summary>Whether the last thing that is known of the lock is that it could not be asked for.</summary>
    /// <param name="away">Why the store is away, as all calls know; null when they do not.</param>
    /// <returns>Why not; null when there was a reply, or one may be about to come.</returns>
    public LockStoreException? FindFailure(LockStoreException? away)
    {
        var askedAt = Volatile.Read(ref _askedAt);
        if (askedAt == long.MaxValue)
        {
            return Volatile.Read(ref _failure);
        }

        return Volatile.Read(ref _failure) ?? away ?? FailureOf(time.Uptime - new TimeSpan(askedAt));
    }

    /// <summary>What an ask says of the store that has had no reply for some time; null where one may be about to come.</summary>
    public static LockStoreException? FailureOf(TimeSpan asked) =>
        asked < ReplyTime ? null : new LockStoreException($"There was no reply for {asked.TotalMilliseconds:F0} ms.", isTransient: true);

    /// <summary>Ends the calls that stand behind the first one with an error.</summary>
    public void Fail(Exception error)
    {
        TaskCompletionSource<Waiter?>[] behind;
        lock (_gate)
        {
            behind = [.. _behind ?? []];
            _behind?.Clear();
        }

        foreach (var call in behind)
        {
            call.SetException(error);
        }
    }

    private bool TryLeave(LinkedListNode<TaskCompletionSource<Waiter?>> place)
    {
        lock (_gate)
        {
            var isInside = place.List is not null;
            if (isInside)
            {
                _behind!.Remove(place);
            }

            return isInside;
        }
    }
}
