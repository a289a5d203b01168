using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Stores;

namespace Coordination.Hosting.Leadership;

/// <summary>What a node knows of the leadership of one of its services: written by the service's runner, read by everybody.</summary>
internal class ServiceLeadership(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, int instances, LeadSwitch leadSwitch, TimeProvider time)
    : LockLeadership(lockName, nodeId, questions, leaseDuration, isShared: instances > 1, time)
{
    /// <summary>How long a leader that was asked has to step down, as <see cref="ILockInspector.StepDownAsync"/>.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Dictionary<WorkEnd, long> _terms = [];
    private readonly Predecessors _predecessors = new(time);
    private ServicePhase _phase;
    private bool _hasJoined;
    private LockCapacity? _inUseAs;
    private LeaseLossReason? _loss;
    private WorkEnding? _ending;
    private TaskCompletionSource _released = new();
    private ILockLease? _lease;
    private LeaderInfo? _leader;

    public override bool CanLead => leadSwitch.CanLead;

    public ServiceStatus Status
    {
        get
        {
            lock (Gate)
            {
                return new ServiceStatus(_phase, _hasJoined, _lease?.State, Describe(), _phase == ServicePhase.Deferred ? _inUseAs : null, _phase is ServicePhase.Lost or ServicePhase.Overdue ? _loss : null);
            }
        }
    }

    /// <summary>How many terms of this node have ended, by how they did.</summary>
    public IReadOnlyDictionary<WorkEnd, long> Terms
    {
        get
        {
            lock (Gate)
            {
                return new Dictionary<WorkEnd, long>(_terms);
            }
        }
    }

    /// <summary>Whom the term of this node follows; null where it knows of none.</summary>
    public Predecessor? Predecessor { get; private set; }

    protected override bool HoldsAlone => _lease is not null && instances == 1;

    public override void SetCanLead(bool? canLead) => leadSwitch.SetAtRunTime(canLead);

    /// <summary>Whether a term has begun whose lock is not released yet, or whose work goes on after the loss of it.</summary>
    public bool IsInTerm
    {
        get
        {
            lock (Gate)
            {
                return _ending is not null;
            }
        }
    }

    public override async Task<StepDownResult> StepDownAsync(TimeSpan? stayAway = null, string? successor = null, CancellationToken cancellationToken = default)
    {
        var request = StepDownArguments.Validate(stayAway, successor);
        Task released;
        lock (Gate)
        {
            // Where the lease was lost, the work may go on beside another leader, and it is that one who is meant.
            var leads = _lease?.State is LeaseState.Held or LeaseState.InDoubt;
            if (leads)
            {
                _ending?.Ask(request);
            }

            released = leads && _ending is not null ? _released.Task : Task.CompletedTask;
        }

        if (released.IsCompleted)
        {
            return await base.StepDownAsync(stayAway, successor, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await released.WaitAsync(LongestWait, Time, cancellationToken).ConfigureAwait(false);
            return StepDownResult.SteppedDown;
        }
        catch (TimeoutException)
        {
            // The work ignores its token. The lock passes when it has returned.
            return StepDownResult.StillHeld;
        }
    }

    /// <summary>The lock of a term of this node is released.</summary>
    public void Released()
    {
        lock (Gate)
        {
            _ending = null;
            _released.TrySetResult();
        }
    }

    /// <summary>A term of this node begins.</summary>
    /// <param name="lease">Its lease.</param>
    /// <param name="ending">Its end.</param>
    /// <param name="options">What it says of itself; null for nothing.</param>
    public void Lead(ILockLease lease, WorkEnding ending, LockOptions? options)
    {
        lock (Gate)
        {
            if (instances == 1)
            {
                KnowNobody();
            }

            _leader = new LeaderInfo { NodeId = lease.Owner.NodeId, FencingToken = lease.FencingToken, Instance = lease.Permit ?? 0, Since = Time.GetUtcNow(), Note = options?.Note, Rank = options?.Rank ?? 0 };
            (_ending, _released) = (ending, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            Predecessor = _predecessors.Of(_leader.Instance);
            KnowTaken(_leader.Instance);
            (_phase, _hasJoined) = (ServicePhase.Leader, true);
            _lease = lease;
            Publish(LeadershipChangeCause.TermBegan);
        }
    }

    /// <summary>This node does not lead, or not any more.</summary>
    /// <param name="phase">What it does now.</param>
    /// <param name="end">How its term ended; null where there was none, and where it was lost.</param>
    public void Enter(ServicePhase phase, WorkEnd? end = null)
    {
        lock (Gate)
        {
            _phase = phase;

            // One that waits for others to go, or that is to stay out of the queue, is where it can be.
            _hasJoined |= phase is ServicePhase.Deferred or ServicePhase.Ineligible;
            if (_lease is not null)
            {
                var ended = end ?? (phase == ServicePhase.Stopped ? WorkEnd.Stopped : WorkEnd.Lost);
                _terms[ended] = _terms.GetValueOrDefault(ended) + 1;
                _loss = _lease.LossReason;
                _predecessors.OwnEnded(new Predecessor(_leader!, PredecessorEnd.Own, ended, ended == WorkEnd.Lost ? _lease.LossReason : null));
                (_lease, _leader) = (null, null);
                if (instances == 1)
                {
                    KnowNobody();
                }

                Publish(CauseOf(ended));
            }
        }
    }

    /// <summary>Others use the lock with another number of leaders, and this node waits until they have gone.</summary>
    /// <param name="inUseAs">What they use it as.</param>
    public void Defer(LockCapacity inUseAs)
    {
        lock (Gate)
        {
            _inUseAs = inUseAs;
            Enter(ServicePhase.Deferred);
        }
    }

    /// <summary>The store refused the lock to this node, which stands in its queue.</summary>
    /// <param name="holder">Who holds it, or one of those who do.</param>
    /// <returns>The leader, if it is another node.</returns>
    public LeaderInfo? Refused(LockHolder holder)
    {
        lock (Gate)
        {
            if (_phase == ServicePhase.Deferred)
            {
                _phase = ServicePhase.Standby;
            }

            _hasJoined |= _phase == ServicePhase.Standby;

            return Saw(holder);
        }
    }

    /// <summary>Has the store asked who lead, for a check that names them, where several do: this node is told of few of them by itself. Throws nothing that the store does.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (instances == 1 || !Questions.MayAsk(LockName))
        {
            return;
        }

        try
        {
            await StoreTimeLimit.ApplyAsync(StoreTimeLimit.OfHealthCheck, GetLeadersAsync, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // What is known of them has to do, and what the matter is, the check says anyhow.
        }
    }

    /// <summary>The service has stopped, and every watch ends with that.</summary>
    public override void End()
    {
        lock (Gate)
        {
            Enter(ServicePhase.Stopped);
            base.End();
        }
    }

    // The lease knows of its loss before its callbacks have run.
    protected override (LeaderInfo? Own, IEnumerable<LeaderInfo> Seen) Look() =>
        (_lease?.State is LeaseState.Held or LeaseState.InDoubt ? _leader : null, base.Look().Seen);

    protected override LeadershipChangeCause CauseOf(LeadershipChangeCause cause, bool wasLeader) =>
        wasLeader && _lease is { State: LeaseState.Lost } ? LeadershipChangeCause.LeaseLost : cause;

    protected override void Know(IReadOnlyList<LeaderSight> seen, bool areAll) => _predecessors.Saw(seen, areAll);

    protected override void KnowReleased(LeaderInfo before) => _predecessors.SawReleased(before);

    /// <summary>What watchers are told of the end of a term.</summary>
    public static LeadershipChangeCause CauseOf(WorkEnd end) => end switch
    {
        WorkEnd.Completed => LeadershipChangeCause.WorkCompleted,
        WorkEnd.Failed => LeadershipChangeCause.WorkFailed,
        WorkEnd.SteppedDown => LeadershipChangeCause.SteppedDown,
        WorkEnd.MaxTermReached => LeadershipChangeCause.MaxTermReached,
        WorkEnd.Stopped => LeadershipChangeCause.HostStopped,
        _ => LeadershipChangeCause.LeaseLost,
    };
}
