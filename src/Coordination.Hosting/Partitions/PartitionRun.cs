using System.Diagnostics.CodeAnalysis;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Telemetry;
using Coordination.Hosting.Terms;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// What a node does for one partition, for as long as that is its share or its work still runs: contend, lead, await the work, release, and again. It has no thread, no timer but to stay away, and one task.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of.")]
internal sealed class PartitionRun(string partition, string lockName, PartitionWork work)
{
    /// <summary>How long the node stays away from a partition that was to pass to a node which does not wait for it: for as long as who asked for that waits.</summary>
    private static readonly TimeSpan AwayAfterStepDown = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly ServiceLog _log = work.Log.Of(partition, lockName);

    /// <summary>Ends the wait for the lock, or the time of staying away; null while it leads.</summary>
    private CancellationTokenSource? _contending;
    private WorkEnding? _ending;
    private ILockLease? _lease;
    private LeasedWork? _leased;
    private Task _run = Task.CompletedTask;
    private long _lostAt;
    private bool _isWanted = true;
    private bool _holdsLock;
    private bool _isStopping;
    private bool _isOver;

    public string Partition => partition;

    public string LockName => lockName;

    /// <summary>Whether nothing of it runs any more.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Completes when nothing of it runs any more.</summary>
    public Task Ended => _run;

    /// <summary>Completes when nothing of it runs any more, or nobody is to wait for it.</summary>
    public Task EndedOrAbandoned
    {
        get
        {
            lock (_gate)
            {
                return _leased is { } leased ? Task.WhenAny(_run, leased.Abandoned) : _run;
            }
        }
    }

    /// <summary>Whether its work goes on too long after its lease was lost.</summary>
    public bool IsOverdue { get; private set; }

    /// <summary>Failures in a row of its work, and the type of the last.</summary>
    public (int InARow, string? Last) Failures { get; private set; } = work.Hung.GetValueOrDefault(partition);

    /// <summary>Whether it has a lock, or lost one and its work has not returned.</summary>
    public bool HoldsLock
    {
        get
        {
            lock (_gate)
            {
                return _holdsLock;
            }
        }
    }

    /// <summary>Whether its lease was lost, and its work has not returned: nothing of it is to be given away.</summary>
    public bool HasLost
    {
        get
        {
            lock (_gate)
            {
                return _lease is { State: LeaseState.Lost };
            }
        }
    }

    /// <summary>Whether its lease was lost, another node may lead, and its work has not returned.</summary>
    public bool Hangs
    {
        get
        {
            lock (_gate)
            {
                return _lease is { State: LeaseState.Lost } && _lostAt != 0 && work.Time.GetElapsedTime(_lostAt) >= work.Service.SafetyMargin;
            }
        }
    }

    /// <summary>The partition while this node leads it; null while not.</summary>
    public LedPartition? Led
    {
        get
        {
            lock (_gate)
            {
                return _lease is { State: LeaseState.Held or LeaseState.InDoubt } lease
                    ? new LedPartition { Partition = partition, LockName = lockName, FencingToken = lease.FencingToken }
                    : null;
            }
        }
    }

    /// <summary>Whether it leads still although the partition is another node's share, and was not told to stop yet.</summary>
    public bool IsSurplus
    {
        get
        {
            lock (_gate)
            {
                return _ending is { IsAsked: false } && !_isWanted;
            }
        }
    }

    /// <summary>Whether the partition is this node's share, as far as it knows.</summary>
    private bool IsShare
    {
        get
        {
            lock (_gate)
            {
                return _isWanted && !_isStopping;
            }
        }
    }

    public void Start() => _run = Task.Run(RunAsync, CancellationToken.None);

    /// <summary>The partition is this node's share.</summary>
    /// <returns>False when this run is over, and another one has to begin.</returns>
    public bool Want()
    {
        lock (_gate)
        {
            return !_isOver && (_isWanted = true);
        }
    }

    /// <summary>The partition is not this node's share: it waits for it no more. Where it leads it goes on until <see cref="GiveAway"/>.</summary>
    public void Unwant()
    {
        lock (_gate)
        {
            _isWanted = false;
            CancelContending();
        }
    }

    /// <summary>Tells the work to stop, after which the lock passes on.</summary>
    /// <param name="successor">The node that it passes to if that waits; null for whoever waits first. What was said before counts.</param>
    public void GiveAway(string? successor)
    {
        lock (_gate)
        {
            _ending?.Ask(WorkEnd.SteppedDown, TimeSpan.Zero, successor);
        }
    }

    /// <summary>The host stops: tells the work, and contends no more.</summary>
    /// <param name="successor">The node that the lock passes to if that waits; null for whoever waits first. What was said before counts.</param>
    public void Stop(string? successor = null)
    {
        lock (_gate)
        {
            _isStopping = true;
            CancelContending();
            _ending?.Ask(WorkEnd.Stopped, TimeSpan.Zero, successor);
        }
    }

    private async Task RunAsync()
    {
        while (BeginContending() is { } contending)
        {
            try
            {
                await work.Absences.WaitAsync(partition, contending).ConfigureAwait(false);
                var lease = await work.AcquireAsync(lockName, contending).ConfigureAwait(false);
                await using (lease.ConfigureAwait(false))
                {
                    if (TryLead(lease) is { } ending)
                    {
                        try
                        {
                            await LeadAsync(lease, ending).ConfigureAwait(false);
                        }
                        finally
                        {
                            EndLeading();
                            Released();
                        }
                    }
                }
            }
            catch (OperationCanceledException) when (contending.IsCancellationRequested)
            {
                // Not its share any more, or the host stops.
            }
            catch (Exception exception)
            {
                // What does not pass by itself, such as a wrong password: somebody may correct it while the host runs.
                work.Log.Refused(exception);
                await StayAwayAsync(RestartBackoff.Delay(work.Service.Options.MinRestartDelay, work.Service.Options.MaxRestartDelay, failuresBefore: 2)).ConfigureAwait(false);
            }
        }

        IsEnded = true;
        work.RunChanged();
    }

    private async Task LeadAsync(ILockLease lease, WorkEnding ending)
    {
        var began = work.Time.GetTimestamp();
        work.Log.Leads(lease);
        await using var asked = ending.ObeyStepDown().ConfigureAwait(false);
        var term = new TermWork(work.Service.Work, lease, ending, work.Time, _log) { Partition = partition };
        var result = await _leased!.RunAsync(
            lease,
            ending,
            term.RunAsync,
            onLost: Lost,
            onOverdue: () => IsOverdue = true,
            term.StoppingAsync).ConfigureAwait(false);
        var outcome = TermOutcome.Of(result, lease, work.Time.GetElapsedTime(began));
        IsOverdue = false;

        // The token tells of the first request alone.
        ending.Hear();
        var isShare = IsShare;
        var successor = lease.State == LeaseState.Lost ? null : await work.FindSuccessorAsync(lockName, ending.Successor, isShare, _log).ConfigureAwait(false);
        var pause = Count(outcome, result.Failure ?? (outcome.Hung ? new LeaseLostException(lease) : null));
        var away = AwayAfter(outcome, ending, lease, isShare, successor, pause);
        work.Absences.Begin(partition, away, isAsked: ending.StayAway > TimeSpan.Zero);
        EndLeading();
        var release = await lease.ReleaseAsync(successor, CancellationToken.None).ConfigureAwait(false);
        Released();
        work.Log.Ended(this, lease, outcome, release, result.Failure, successor);
        if (away > TimeSpan.Zero)
        {
            work.RunChanged();
        }

        await term.StoppedAsync(outcome, release, result.Failure).ConfigureAwait(false);
        await StayAwayAsync(pause).ConfigureAwait(false);
    }

    /// <summary>Counts a failure, or that there was none.</summary>
    /// <returns>How long to stay away from the partition.</returns>
    private TimeSpan Count(TermOutcome outcome, Exception? failure)
    {
        var options = work.Service.Options;
        var before = outcome.Duration < options.RestartDelayResetAfter ? Failures.InARow : 0;
        Failures = outcome.IsFailure ? (before + 1, failure?.GetType().Name) : default;
        if (outcome.Hung)
        {
            work.Hung[partition] = Failures;
        }
        else
        {
            work.Hung.TryRemove(partition, out _);
        }

        return outcome switch
        {
            { IsFailure: true } => RestartBackoff.Delay(options.MinRestartDelay, options.MaxRestartDelay, before),
            { End: WorkEnd.Completed } => options.CompletionPause,
            _ => TimeSpan.Zero,
        };
    }

    /// <returns>How long the node is to leave the partition to others.</returns>
    private TimeSpan AwayAfter(TermOutcome outcome, WorkEnding ending, ILockLease lease, bool isShare, string? successor, TimeSpan pause) => outcome switch
    {
        // What hung is another node's by now, which keeps it for as long as this one would have waited.
        { Hung: true } when !isShare => pause > ending.StayAway ? pause : ending.StayAway,

        // It was to leave this node, and nobody waits as for a service: another one that takes part has to learn first that it is to.
        { End: WorkEnd.SteppedDown } when isShare && ending is { Successor: not null } && successor is null && ending.StayAway == TimeSpan.Zero && work.Service.View.CanPass(partition, lease.Owner.NodeId) => AwayAfterStepDown,
        _ => ending.StayAway,
    };

    /// <summary>Waits, unless there is nothing to wait for or the partition becomes another node's share.</summary>
    private async Task StayAwayAsync(TimeSpan delay)
    {
        if (delay > TimeSpan.Zero && BeginContending() is { } contending)
        {
            await Task.Delay(delay, work.Time, contending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>A token that is cancelled when it is not to contend any more; null when it is over.</returns>
    private CancellationToken? BeginContending()
    {
        lock (_gate)
        {
            _isOver |= _isStopping || !_isWanted;
            if (_isOver)
            {
                return null;
            }

            _contending ??= new CancellationTokenSource();
            return _contending.Token;
        }
    }

    /// <returns>How the work is told to stop; null when it is not to begin, for the partition has become another node's share or the host stops.</returns>
    private WorkEnding? TryLead(ILockLease lease)
    {
        lock (_gate)
        {
            if (!work.Service.Switch.CanLead)
            {
                // What had asked for the lock before the node was drained.
                _isWanted = false;
            }

            if (_isStopping || !_isWanted)
            {
                return null;
            }

            // By this object and not by the token of the host's stop: whoever blocks in a callback on its token holds up no other partition's work.
            _contending = null;
            (_lease, _leased, _ending, _lostAt, _holdsLock) = (lease, work.CreateLeased(_log), new WorkEnding(lease, _log, CancellationToken.None), 0, true);
            return _ending;
        }
    }

    private void EndLeading()
    {
        lock (_gate)
        {
            (_lease, _leased, _ending) = (null, null, null);
        }
    }

    private void Released()
    {
        lock (_gate)
        {
            _holdsLock = false;
        }
    }

    private void Lost()
    {
        lock (_gate)
        {
            _lostAt = work.Time.GetTimestamp();
        }

        work.Log.Lost();
        work.RunChanged();
    }

    private void CancelContending()
    {
        if (_contending is { } contending)
        {
            _contending = null;
            _ = contending.CancelAsync();
        }
    }
}
