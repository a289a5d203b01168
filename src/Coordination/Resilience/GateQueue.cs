using Coordination.Stores;

namespace Coordination.Resilience;

/// <summary>What is known of a shard that is away, and the calls that wait for it. Not safe for use by several threads.</summary>
/// <param name="closedAt">Since when it is away.</param>
/// <param name="error">How the call failed that told.</param>
internal sealed class GateQueue(TimeSpan closedAt, LockStoreException error)
{
    // As StoreCall has them: renewals before anything else, and releases before acquisitions.
    private readonly LinkedList<Place>[] _queues = [new(), new(), new()];

    /// <summary>The renewals, those of the shortest leases first. Holds some that have left.</summary>
    private readonly PriorityQueue<Place, TimeSpan> _paces = new();

    /// <summary>When a call took its turn last.</summary>
    public TimeSpan PassedAt { get; set; } = closedAt;

    /// <summary>When a call failed last.</summary>
    public TimeSpan FailedAt { get; set; }

    /// <summary>How it failed.</summary>
    public LockStoreException Error { get; set; } = error;

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
        var place = new Place(this);
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

    /// <summary>A call that waits.</summary>
    internal sealed class Place(GateQueue queue)
    {
        // Whoever completes it holds the gate: nothing goes on in there.
        private readonly TaskCompletionSource<bool> _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public GateQueue Queue => queue;

        /// <summary>Completes when the call may pass.</summary>
        public Task<bool> Passed => _passed.Task;

        public LinkedListNode<Place>? Node { get; set; }

        public bool Waits => Node?.List is not null;

        public void Pass()
        {
            Leave();
            _passed.SetResult(true);
        }

        /// <summary>Leaves the queue, if it is in there still.</summary>
        public void Leave() => Node?.List?.Remove(Node);
    }
}
