using Coordination.Stores;

namespace Coordination.Resilience;

/// <summary>The calls that wait at the gate of one partition, and when the next of them may pass. Not safe for use by several threads.</summary>
/// <param name="nextPassAt">When the next may pass.</param>
internal sealed class GateQueue(TimeSpan nextPassAt)
{
    // As StoreCall has them: renewals before anything else, and releases before acquisitions.
    private readonly LinkedList<Place>[] _queues = [new(), new(), new()];

    /// <summary>When the next call may pass that the store's replies do not let pass before.</summary>
    public TimeSpan NextPassAt { get; set; } = nextPassAt;

    /// <summary>When a call failed last.</summary>
    public TimeSpan FailedAt { get; set; }

    /// <summary>When the last call that succeeded was sent. A failure of one that was sent before that is old news.</summary>
    public TimeSpan RepliedTo { get; set; } = TimeSpan.MinValue;

    /// <summary>Whether the last thing that was heard was good: then renewals do not wait.</summary>
    public bool Replies { get; set; }

    public bool IsEmpty => Array.TrueForAll(_queues, queue => queue.Count == 0);

    public bool Has(StoreCall call) => _queues[(int)call].Count > 0;

    /// <param name="call">What waits.</param>
    /// <param name="isPatient">Whether it waits until it may pass, and not only until the next failure.</param>
    public Place Add(StoreCall call, bool isPatient)
    {
        var place = new Place(isPatient);
        place.Node = _queues[(int)call].AddLast(place);
        return place;
    }

    /// <summary>Lets one call pass: the most urgent, and of those the first to come.</summary>
    public bool TryPassOne()
    {
        foreach (var queue in _queues)
        {
            if (queue.First is { } first)
            {
                first.Value.Pass();
                return true;
            }
        }

        return false;
    }

    /// <summary>Lets the first call of a kind pass.</summary>
    public bool TryPassOne(StoreCall call)
    {
        var first = _queues[(int)call].First;
        first?.Value.Pass();
        return first is not null;
    }

    /// <summary>Lets all calls of a kind pass.</summary>
    public bool PassAll(StoreCall call)
    {
        var any = false;
        while (TryPassOne(call))
        {
            any = true;
        }

        return any;
    }

    /// <summary>Ends the waits of those that are not patient.</summary>
    public void Fail(LockStoreException error)
    {
        foreach (var queue in _queues)
        {
            for (var node = queue.First; node is not null;)
            {
                (var place, node) = (node.Value, node.Next);
                if (!place.IsPatient)
                {
                    place.Fail(error);
                }
            }
        }
    }

    /// <summary>A call that waits.</summary>
    internal sealed class Place(bool isPatient)
    {
        // Whoever completes it holds the gate: nothing goes on in there.
        private readonly TaskCompletionSource<LockStoreException?> _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsPatient => isPatient;

        /// <summary>Null when the call may pass; else why it may not.</summary>
        public Task<LockStoreException?> Passed => _passed.Task;

        public LinkedListNode<Place>? Node { get; set; }

        /// <summary>Whether it was let pass.</summary>
        public bool HasPassed => Passed is { IsCompletedSuccessfully: true, Result: null };

        public void Pass() => Complete(null);

        public void Fail(LockStoreException error) => Complete(error);

        /// <summary>Leaves the queue, if it is in there still.</summary>
        public void Leave() => Node?.List?.Remove(Node);

        private void Complete(LockStoreException? result)
        {
            Leave();
            _passed.SetResult(result);
        }
    }
}
