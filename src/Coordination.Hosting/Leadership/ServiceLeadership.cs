using Coordination.Hosting.Execution;

namespace Coordination.Hosting.Leadership;

/// <summary>What a node knows of the leadership of one of its services: written by the service's runner, read by everybody.</summary>
internal class ServiceLeadership(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, TimeProvider time)
    : LockLeadership(lockName, nodeId, questions, leaseDuration, time)
{
    private readonly Dictionary<WorkEnd, long> _terms = [];
    private ServicePhase _phase;
    private ILockLease? _lease;
    private LeaderInfo? _leader;
    private Predecessor? _last;
    private long _lastEndsAt;

    public ServiceStatus Status
    {
        get
        {
            lock (Gate)
            {
                return new ServiceStatus(_phase, _lease?.State, Describe());
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

    protected override bool Holds => _lease is not null;

    /// <summary>A term of this node begins.</summary>
    public void Lead(ILockLease lease)
    {
        lock (Gate)
        {
            Know(null, LeaseDuration);
            Predecessor = _last is { End: PredecessorEnd.Unknown } last ? last with { End = PredecessorEnd.RanOut } : _last;
            _phase = ServicePhase.Leader;
            _lease = lease;
            _leader = new LeaderInfo { NodeId = lease.Owner.NodeId, FencingToken = lease.FencingToken, Since = Time.GetUtcNow() };
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
            if (_lease is not null)
            {
                var ended = end ?? (phase == ServicePhase.Stopped ? WorkEnd.Stopped : WorkEnd.Lost);
                _terms[ended] = _terms.GetValueOrDefault(ended) + 1;
                _last = new Predecessor(_leader!, PredecessorEnd.Own, ended, ended == WorkEnd.Lost ? _lease.LossReason : null);
                (_lease, _leader) = (null, null);
                Know(null, LeaseDuration);
                Publish(CauseOf(ended));
            }
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
    protected override (bool IsLeader, LeaderInfo? Leader) Look() =>
        _lease is null ? base.Look() : _lease.State is LeaseState.Held or LeaseState.InDoubt ? (true, _leader) : (false, null);

    protected override void Publish(LeadershipChangeCause cause) => base.Publish(_lease is { State: LeaseState.Lost } ? LeadershipChangeCause.LeaseLost : cause);

    protected override void Know(LeaderInfo? leader, TimeSpan lasts)
    {
        base.Know(leader, lasts);
        if (leader is not null)
        {
            _last = new Predecessor(leader, PredecessorEnd.Unknown);
            _lastEndsAt = Time.GetTimestamp() + (long)(lasts.TotalSeconds * Time.TimestampFrequency);
        }
        else if (_last is { End: PredecessorEnd.Unknown } last && Time.GetTimestamp() < _lastEndsAt)
        {
            // Before the end of its lease it can only have been passed on.
            _last = last with { End = PredecessorEnd.PassedOn };
        }
    }

    protected override void KnowReleased(LeaderInfo before) => _last = new Predecessor(before, PredecessorEnd.Released);

    private static LeadershipChangeCause CauseOf(WorkEnd end) => end switch
    {
        WorkEnd.Completed => LeadershipChangeCause.WorkCompleted,
        WorkEnd.Failed => LeadershipChangeCause.WorkFailed,
        WorkEnd.SteppedDown => LeadershipChangeCause.SteppedDown,
        WorkEnd.MaxTermReached => LeadershipChangeCause.MaxTermReached,
        WorkEnd.Stopped => LeadershipChangeCause.HostStopped,
        _ => LeadershipChangeCause.LeaseLost,
    };
}
