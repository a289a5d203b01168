using Coordination.Time;

namespace Coordination.Waiting;

/// <summary>
/// The calls of this node that want a lock in the same way, in the order in which they came. The first one asks the store, and those that
/// come meanwhile stand behind it. When it has the lock, or gives up, the turn goes to the next one.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class LocalQueue(TimeProvider time)
{
    private readonly Lock _gate = new();

    // Mostly there is one call, whose turn it is at once.
    private LinkedList<TaskCompletionSource<Waiter?>>? _behind;
    private bool _hasFirst;
    private bool _isOver;

    /// <summary>Enters at the end.</summary>
    /// <param name="place">Where to wait for the turn, by <see cref="TakeTurnAsync"/>; null when it is the caller's turn now.</param>
    /// <returns>False when the last call has left in this moment, and another queue takes over.</returns>
    public bool TryEnter(out LinkedListNode<TaskCompletionSource<Waiter?>>? place)
    {
        place = null;
        lock (_gate)
        {
            if (_isOver)
            {
                return false;
            }

            if (_hasFirst)
            {
                _behind ??= new();
                place = _behind.AddLast(new TaskCompletionSource<Waiter?>(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            _hasFirst = true;
            return true;
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
    /// <returns>False when there is no other call, and the queue is over.</returns>
    public bool TryPassTurn(Waiter? waiter)
    {
        TaskCompletionSource<Waiter?> next;
        lock (_gate)
        {
            if (_behind?.First is not { } first)
            {
                _isOver = true;
                return false;
            }

            _behind.RemoveFirst();
            next = first.Value;
        }

        next.SetResult(waiter);
        return true;
    }

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
