using Coordination.Stores;

namespace Coordination.Resilience;

/// <summary>What is known of a shard that is away, and the calls that wait for it. Not safe for use by several threads.</summary>
/// <param name="closedAt">Since when it is away.</param>
internal sealed class GateQueue(TimeSpan closedAt)
{
    // As StoreCall has them: renewals before anything else, and releases before acquisitions.
    private readonly LinkedList<Place>[] _queues = [new(), new(), new()];

    /// <summary>The renewals, those of the shortest leases first. Holds some that have left.</summary>
    private readonly PriorityQueue<Place, TimeSpan> _paces = new();

    /// <summary>When a call took its turn last.</summary>
    public TimeSpan PassedAt { get; set; } = closedAt;

    /// <summary>When a call failed last.</summary>
    public TimeSpan FailedAt { get; set; }

    /// <summary>When the last call that succeeded was sent. A failure of one that was sent before that is old news.</summary>
    public TimeSpan RepliedTo { get; set; } = TimeSpan.MinValue;

    /// <summary>Whether the last thing that was heard was good: then only acquisitions wait.</summary>
    public bool Replies { get; set; }

    /// <summary>Whether an acquisition got a reply since: then nothing waits for long.</summary>
    public bool Grants { get; set; }

    public bool IsEmpty => Array.TrueForAll(_queues, queue => queue.Count == 0);

    /// <summary>At what pace it is to be asked at least. A lease of 100 ms cannot wait for long: it has time for some tries, as while the gate is open.</summary>
    public TimeSpan Pace
    {
        get
        {
            while (_paces.TryPeek(out var place, out var pace))
            {
                if (place.Waits)
                {
                    return pace;
                }

                _paces.Dequeue();
            }

            return TimeSpan.MaxValue;
        }
    }

    public bool Has(StoreCall call) => _queues[(int)call].Count > 0;

    /// <summary>Adds a call.</summary>
    public Place Add(CallPlan plan)
    {
        var place = new Place(plan.IsPatient);
        place.Node = _queues[(int)plan.Call].AddLast(place);
        if (plan.Call == StoreCall.Renewal)
        {
            _paces.Enqueue(place, plan.Limit / 2);
        }

        return place;
    }

    /// <summary>Lets one call pass: the most urgent, and of those the first to come.</summary>
    public void PassOne() => Array.Find(_queues, queue => queue.Count > 0)!.First!.Value.Pass();

    /// <summary>Lets the first call of a kind pass.</summary>
    public void PassOne(StoreCall call) => _queues[(int)call].First!.Value.Pass();

    /// <summary>Lets all calls of a kind pass.</summary>
    /// <returns>Whether there were any.</returns>
    public bool PassAll(StoreCall call)
    {
        var any = Has(call);
        while (Has(call))
        {
            PassOne(call);
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

        public bool Waits => Node?.List is not null;

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
