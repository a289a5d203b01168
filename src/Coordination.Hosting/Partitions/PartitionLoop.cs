using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Stores;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// Keeps a node's partitions to its share: takes part, looks who does, works out which partitions are whose, contends for its own, and gives away the others to the nodes that wait for them.
/// </summary>
/// <remarks>What it decides may be out of date, or differ from what another node decides: that one node at a time leads a partition rests on its lock alone.</remarks>
internal sealed class PartitionLoop(
    PartitionedService service, PartitionMembership membership, PartitionList list, PartitionHandover handover, PartitionDrain drain, PartitionWork work, ILockInspector inspector, string nodeId, TimeProvider time, PartitionLog log)
    : IServiceLoop
{
    private const int QuestionsAtOnce = 16;

    /// <summary>How often it looks at most, however short the leases are.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long after the end of a lease the store counts it as over for sure.</summary>
    private static readonly TimeSpan AfterEnd = TimeSpan.FromMilliseconds(20);

    private static readonly Task Never = new TaskCompletionSource().Task;

    private volatile TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PartitionSettling _settling = new(service.Options.BalanceInterval, time);
    private bool _wasMember;

    /// <summary>From before this node takes part until it does no more and leads nothing.</summary>
    private LeadTurn? _turn;
    private bool _hasLeft;

    /// <summary>Whether something waits for a run to end: a partition for that before it, or for any, where this node leads as many as it may; or what is given away after it.</summary>
    private volatile bool _isHeldUp;
    private bool _hasNoRoom;

    public TimeSpan LeaseDuration => service.LeaseDuration;

    /// <summary>Never: what is not to be waited for of the work of a partition, the loop does not wait for.</summary>
    public Task Abandoned => Never;

    public ServiceLog Log { get; } = log.Of([]);

    /// <summary>Names a partition whose work is meant: the service as such has no lock.</summary>
    public ServiceLog WorkLog => log.Of([.. service.Runs.Values.Where(static run => run.HoldsLock).OrderBy(static run => run.Partition, StringComparer.Ordinal)]);

    /// <summary>Not while it waits for the store, or for the user's list of partitions.</summary>
    public bool HoldsLock => service.Runs.Values.Any(static run => run.HoldsLock);

    public void EndUnbegun() => service.Phase = WorkPhase.Stopped;

    /// <summary>Ends when the stop was requested and all work has returned.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        work.RunChanged = RunChanged;
        list.FirstCame = () => _wake.TrySetResult();
        service.Switch.Changed = () => _wake.TrySetResult();
        service.Phase = WorkPhase.Waiting;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var pause = await BalanceAsync(FindTurn(), stop).ConfigureAwait(false);
                await _wake.Task.WaitAsync(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host stops while it waits for the store.
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
            service.Phase = WorkPhase.Stopped;
        }
    }

    /// <summary>
    /// Lets the others learn that this node goes, tells the work of each partition when its next node waits for it, and all of it in the end, and awaits it. When the work is told does not hang on the store, nor on the
    /// user's list.
    /// </summary>
    private async Task EndAsync()
    {
        foreach (var (_, run) in service.Runs)
        {
            run.Unwant();
        }

        // Beside what follows: where the store hangs, this takes as long as a release may.
        var leaving = membership.LeaveAsync();
        var listed = list.EndAsync();
        if (list.Names is { } names)
        {
            await handover.RunAsync(names).ConfigureAwait(false);
        }

        foreach (var (_, run) in service.Runs)
        {
            run.Stop();
        }

        await Task.WhenAll([.. service.Runs.Values.Select(static run => run.EndedOrAbandoned), leaving, listed]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        EndTurn();
    }

    /// <returns>Null when this node may not take part.</returns>
    private LeadTurn? FindTurn()
    {
        if (_turn is not { Contending.IsCancellationRequested: false } && service.Switch.TryBegin() is { } next)
        {
            // The one before it may not have come to its end: what it led still, this one leads. And who is asked to stay away for too long can be had back also where it was too short to leave.
            _turn?.Dispose();
            work.Absences.Clear();
            _turn = next;
            service.Switch.GivesAwayMore = true;
        }

        return _turn is { Contending.IsCancellationRequested: false } turn ? turn : null;
    }

    /// <param name="turn">Null when this node may not take part.</param>
    /// <param name="stop">Cancelled when the host stops.</param>
    /// <returns>How long until it is to look again.</returns>
    private async Task<TimeSpan> BalanceAsync(LeadTurn? turn, CancellationToken stop)
    {
        var pause = service.Options.BalanceInterval;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop, turn?.Contending ?? CancellationToken.None);
        try
        {
            if (turn is null)
            {
                Leave();
            }

            // A node that knows of no partition takes no part: what would be its share is led by the others.
            await list.RefreshAsync(stop).ConfigureAwait(false);
            if (list.Names is { } names)
            {
                if (turn is not null)
                {
                    await JoinAsync(ended.Token).ConfigureAwait(false);
                }

                pause = Min(pause, await LookAsync(names, isMember: turn is not null, ended.Token).ConfigureAwait(false));
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The host stops, or the node may take part no more.
        }
        catch (Exception exception) when (exception is LockStoreException or NotSupportedException)
        {
            // The store does not say who takes part: it is away, refuses this node, or has no administration. What is led goes on by its leases.
            log.CannotBalance(exception);
        }
        catch (Exception exception)
        {
            // A failure of this library, or of a store that throws what it may not: nothing that is led ends by it, and the next look may do better.
            log.LoopFailed(exception);
        }

        stop.ThrowIfCancellationRequested();
        if (turn is null)
        {
            pause = Min(pause, await GiveAllAwayAsync(stop).ConfigureAwait(false) ?? pause);
        }

        var view = service.View;
        log.Sum(service.Runs.Values.Count(static run => run.Led is not null), view.Share, view.Partitions.Count, view.Members.Count);
        return pause;
    }

    private async Task JoinAsync(CancellationToken stop)
    {
        _hasLeft = false;
        if (membership.IsMember)
        {
            return;
        }

        if (_wasMember)
        {
            _wasMember = false;
            log.MembershipLost(membership.LossReason);
        }

        service.Phase = WorkPhase.Waiting;
        await membership.JoinAsync(FindNote(), stop).ConfigureAwait(false);
        _wasMember = true;
        service.Join();
        service.Phase = WorkPhase.Running;
        log.Joined(nodeId);
    }

    /// <summary>What the others are to know of this node. From what it stays away, and from what its old work keeps it, another of them leads; and that work counts to what it has.</summary>
    private string? FindNote()
    {
        string[] hanging = [.. service.Runs.Values.Where(static run => run.Hangs).Select(static run => run.Partition)];
        return PartitionNote.Write(service.Options.MaxPerNode is { } max ? Math.Max(0, max - hanging.Length) : null, work.Absences.Current.Union(hanging));
    }

    /// <summary>Takes part no more, and contends for nothing. What it leads it leads on, until <see cref="GiveAllAwayAsync"/>.</summary>
    private void Leave()
    {
        foreach (var (_, run) in service.Runs)
        {
            run.Unwant();
        }

        if (!_hasLeft)
        {
            (_hasLeft, _wasMember, service.Phase) = (true, false, WorkPhase.Waiting);
            service.Join();

            // Who is asked to stay away for too long can be had back, as a node that takes part again.
            work.Absences.Clear();
            drain.Begin();

            // Beside what follows, which a store that hangs is not to keep.
            _ = membership.LeaveAsync();
            log.TakesNoPart(service.Switch.IsDrained ? "the node is drained" : "CanLead is false");
        }

        EndTurn();
    }

    /// <summary>Goes on to give away all that this node leads, when it is its turn to.</summary>
    /// <returns>How long until it is to look again at most.</returns>
    private async Task<TimeSpan?> GiveAllAwayAsync(CancellationToken stop)
    {
        if (_turn is not { } turn)
        {
            return null;
        }

        _isHeldUp = true;
        var again = await drain.GiveAwayAsync(turn, _wake.Task, stop).ConfigureAwait(false);
        EndTurn();
        return again;
    }

    /// <summary>Reads who takes part, for a node that does not, and may have to give away what it leads: that is not to wait for the store for long.</summary>
    private async Task<(IReadOnlyList<PartitionMember> Members, TimeSpan FirstEnd)> ReadInTimeAsync(CancellationToken stop)
    {
        (IReadOnlyList<PartitionMember>, TimeSpan) read = ([], TimeSpan.MaxValue);
        await StoreTimeLimit.ApplyAsync(
            _turn is null ? StoreTimeLimit.Default : drain.LookLimit, async limited => read = await membership.ReadAsync(takesPart: false, limited).ConfigureAwait(false), time, stop).ConfigureAwait(false);
        return read;
    }

    /// <summary>Looks who takes part, and keeps this node's partitions to its share.</summary>
    /// <returns>How long until it is to look again at most.</returns>
    private async Task<TimeSpan> LookAsync(IReadOnlySet<string> names, bool isMember, CancellationToken stop)
    {
        if (isMember)
        {
            await membership.SayAsync(FindNote(), stop).ConfigureAwait(false);
        }

        var (members, firstEnd) = isMember
            ? await membership.ReadAsync(takesPart: true, stop).ConfigureAwait(false)
            : await ReadInTimeAsync(stop).ConfigureAwait(false);
        log.Balances();
        Assign(members, names);
        var unsettled = _settling.See(members);
        if (isMember)
        {
            // What was to pass to another node, and has none any more.
            work.Absences.EndUnasked(partition => service.View.IsLeftTo(nodeId, partition));
            Contend(isSettled: unsettled <= TimeSpan.Zero);
            await GiveAwayAsync(stop).ConfigureAwait(false);
        }

        // A node that died is a member until its lease has run out, and its partitions are free then.
        var untilFirstEnd = firstEnd < service.Options.BalanceInterval ? Max(firstEnd + AfterEnd, ShortestPause) : TimeSpan.MaxValue;
        return unsettled > TimeSpan.Zero ? Min(untilFirstEnd, Max(unsettled, ShortestPause)) : untilFirstEnd;
    }

    /// <summary>Works out whose partitions are whose, where something has changed.</summary>
    private void Assign(IReadOnlyList<PartitionMember> members, IReadOnlySet<string> names)
    {
        var before = service.View;
        if (!members.SequenceEqual(before.Members) || (names != before.Partitions && !names.SetEquals(before.Partitions)))
        {
            var assignment = PartitionAssignment.Create(members, names);
            service.View = new PartitionView(members, names, assignment, assignment.Of(nodeId).Count());
        }
    }

    /// <summary>Begins to contend for what is this node's share, and ends it for what is not.</summary>
    /// <param name="isSettled">Whether it begins anything new.</param>
    private void Contend(bool isSettled)
    {
        (_isHeldUp, _hasNoRoom) = (false, false);
        foreach (var (_, run) in service.Runs)
        {
            if (run.IsEnded)
            {
                service.Runs.TryRemove(run.Partition, out _);
            }
            else if (service.View.Assignment.Find(run.Partition) != nodeId)
            {
                run.Unwant();
            }
        }

        foreach (var partition in service.View.Assignment.Of(nodeId))
        {
            if (service.Runs.TryGetValue(partition, out var known))
            {
                _isHeldUp |= !known.Want();
            }
            else if (!isSettled)
            {
                continue;
            }
            else if (service.Runs.Count >= (service.Options.MaxPerNode ?? int.MaxValue))
            {
                // What was its share is not given away yet, and counts.
                (_isHeldUp, _hasNoRoom) = (true, true);
            }
            else
            {
                var run = new PartitionRun(partition, service.Locks.Of(partition), work);
                service.Runs[partition] = run;
                run.Start();
            }
        }
    }

    /// <summary>Gives away what this node leads and is not its share.</summary>
    private async Task GiveAwayAsync(CancellationToken stop)
    {
        var view = service.View;
        var surplus = service.Runs.Values.Where(static run => run.IsSurplus).ToList();
        foreach (var gone in surplus.Where(run => !view.Partitions.Contains(run.Partition)))
        {
            gone.GiveAway(successor: null);
        }

        await Parallel.ForEachAsync(
            surplus.Where(run => view.Partitions.Contains(run.Partition)),
            new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = stop },
            async (run, cancellationToken) =>
            {
                // Nobody leads what is given away to nobody, as while another node sees other members or partitions. Where this one has no room for its own share, that comes first.
                if (_hasNoRoom || (await inspector.InspectAsync(run.LockName, cancellationToken: cancellationToken).ConfigureAwait(false)).Waiters.Any(static waiter => waiter.IsAlive))
                {
                    run.GiveAway(view.Assignment.Find(run.Partition));
                }
            }).ConfigureAwait(false);
    }

    /// <summary>Says that this node leads nothing and contends for nothing, where it is so, whatever work goes on whose lease was lost.</summary>
    private void EndTurn()
    {
        if (service.Runs.Values.All(static run => run.IsEnded || run.HasLost))
        {
            _turn?.Dispose();
            _turn = null;
        }
    }

    private void RunChanged()
    {
        if (_isHeldUp || work.Absences.Current.Any())
        {
            _wake.TrySetResult();
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
