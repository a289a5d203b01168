using Coordination.Stores;

namespace Coordination.Resilience;

/// <summary>What is known of a shard that is away, and the calls that wait for it. Not safe for use by several threads.</summary>
/// <param name="closedAt">Since when it is away.</param>
internal sealed class GateQueue(TimeSpan closedAt)
{
    /// <summary>Of so many turns one is of the least urgent call.</summary>
    private const int TurnsInRound = 4;

    // As StoreCall has them: renewals before anything else, and releases before acquisitions.
    private readonly LinkedList<Place>[] _queues = [new(), new(), new()];

    /// <summary>The renewals, those of the shortest leases first. Holds some that have left.</summary>
    private readonly PriorityQueue<Place, TimeSpan> _paces = new();

    /// <summary>The kinds of calls that wait.</summary>
    private readonly bool[] _isClosed = new bool[3];

    /// <summary>How a call failed last for which those of a kind wait.</summary>
    private readonly LockStoreException?[] _errors = new LockStoreException?[3];
    private int _turns;

    /// <summary>When a call took its turn last.</summary>
    public TimeSpan PassedAt { get; set; } = closedAt;

    /// <summary>When a call failed last.</summary>
    public TimeSpan FailedAt { get; set; }

    /// <summary>When the last call that succeeded was sent. A failure of one that was sent before that is old news.</summary>
    public TimeSpan RepliedTo { get; set; } = TimeSpan.MinValue;

    /// <summary>Whether neither renewals nor releases wait.</summary>
    public bool Replies => !_isClosed[(int)StoreCall.Renewal] && !_isClosed[(int)StoreCall.Release];

    /// <summary>Whether acquisitions do not wait, but for what is more urgent.</summary>
    public bool Grants => !_isClosed[(int)StoreCall.Acquisition];

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

    /// <summary>
    /// A call failed: those of its kind wait. A renewal or a release may fail for a reason of its lock's own, so it says nothing of the other kinds; an
    /// acquisition does.
    /// </summary>
    public void Close(StoreCall call, LockStoreException error)
    {
        for (var kind = StoreCall.Renewal; kind <= StoreCall.Acquisition; kind++)
        {
            if (kind == call || call == StoreCall.Acquisition)
            {
                (_isClosed[(int)kind], _errors[(int)kind]) = (true, error);
            }
        }
    }

    /// <summary>A call got its reply: renewals and releases wait no more, and acquisitions neither if it was one.</summary>
    public void Open(StoreCall call)
    {
        _isClosed[(int)StoreCall.Renewal] = _isClosed[(int)StoreCall.Release] = false;
        _isClosed[(int)StoreCall.Acquisition] &= call != StoreCall.Acquisition;
    }

    /// <summary>How the last call failed for which those of a kind wait, or waited last; null where none ever did.</summary>
    public LockStoreException? ErrorOf(StoreCall call) => _errors[(int)call];

    /// <summary>Whether a call has to wait: its kind does, or acquisitions are there that came before.</summary>
    public bool HasToWait(StoreCall call) => _isClosed[(int)call] || (call == StoreCall.Acquisition && Has(call));

    public bool Has(StoreCall call) => _queues[(int)call].Count > 0;

    /// <summary>Adds a call.</summary>
    public Place Add(CallPlan plan)
    {
        var place = new Place(this, plan.Call);
        place.Node = _queues[(int)plan.Call].AddLast(place);
        if (plan.Call == StoreCall.Renewal)
        {
            _paces.Enqueue(place, plan.Limit / 2);
        }

        return place;
    }

    /// <summary>Lets one call pass: the most urgent, and of those the first to come. Now and then the least urgent, for what goes before may fail for ever.</summary>
    public void PassOne()
    {
        var queue = ++_turns % TurnsInRound == 0 ? Array.FindLast(_queues, queue => queue.Count > 0) : Array.Find(_queues, queue => queue.Count > 0);
        queue!.First!.Value.Pass();
    }

    /// <summary>Lets the first call of a kind pass.</summary>
    public void PassOne(StoreCall call) => _queues[(int)call].First!.Value.Pass();

    /// <summary>Lets the renewal pass whose lease is the shortest. There is one, as <see cref="Pace"/> says.</summary>
    public void PassShortest() => _paces.Dequeue().Pass();

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
    internal sealed class Place(GateQueue queue, StoreCall call)
    {
        // Whoever completes it holds the gate: nothing goes on in there.
        private readonly TaskCompletionSource<bool> _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>How the call failed for which it waits.</summary>
        public LockStoreException Error => queue._errors[(int)call]!;

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
