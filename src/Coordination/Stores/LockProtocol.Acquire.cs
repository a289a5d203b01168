namespace Coordination.Stores;

/// <content>Acquiring a lock, or joining its queue.</content>
public static partial class LockProtocol
{
    /// <summary>Tries to acquire a lock, as <see cref="ILockStore.AcquireAsync"/> says.</summary>
    /// <param name="state">The lock.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="now">The store's time.</param>
    public static LockChange<AcquireReply> Acquire(LockState state, AcquireRequest request, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(request);
        state = WithoutLapsed(state, now);
        var capacity = request.Share?.Capacity ?? LockCapacity.Exclusive;
        if (state.Capacity != capacity)
        {
            if (IsInUse(state, now))
            {
                return new() { State = state, Reply = new AcquireReply { InUseAs = state.Capacity } };
            }

            // Those that wait are dead, and would wait for what there is no more.
            state = state with { Capacity = capacity, Waiters = [], Revoked = [] };
        }

        var (status, run) = request.Occurrence is { } wanted ? state.Occurrences.Judge(wanted) : default;
        if (status == OccurrenceStatus.AlreadyRun)
        {
            return Leave(state, AcquireReply.AlreadyRun(run), request.Owner, request.Entry, request.Share, request.LockName, now, request.ClaimWindow);
        }

        if (status == OccurrenceStatus.Recovering && RunUnderWay(state, request) is { } running)
        {
            // Others may hold the lock beside, but not for what is being run.
            return Refused(state, running, request, status, run, now);
        }

        if (state.Grants.HeldBy(request.Owner) is { } held)
        {
            return held.Share == request.Share
                ? Granted(state, held, held.Enter(request, now), request, status, run, now)
                : Refused(state, held, request, status, run, now);
        }

        if (!state.Grants.HaveReaderOf(request.Share))
        {
            return Leave(state, new AcquireReply { HasNothingToUpgrade = true }, request.Owner, request.Entry, request.Share, request.LockName, now, request.ClaimWindow);
        }

        // What lapsed is the turn of those that came before.
        var change = request.AllowBarging ? new() { State = state, Reply = false } : PassOn(state, request.LockName, now, request.ClaimWindow, upTo: request);
        state = change.State;
        var isTurn = request.AllowBarging || change.Reply;
        if (isTurn && state.Grants.HaveRoomFor(request.Owner, request.Share))
        {
            var granted = NewGrant(state, request.Owner, now, request.LeaseDuration, request.Share).By(request.Entry, request.Note, request.Rank) with { IsClaimed = true };
            var reply = Granted(state, null, granted, request, status, run, now);

            // Those behind it may fit beside it.
            var rest = request.Share is null ? new() { State = reply.State, Reply = false } : PassOn(reply.State, request.LockName, now, request.ClaimWindow);
            return reply with { State = rest.State, Notifications = [.. change.Notifications, .. rest.Notifications] };
        }

        return Refused(state, state.Grants.EndsFirst(), request, status, run, now) with { Notifications = change.Notifications };
    }

    /// <summary>Whether somebody holds the lock, or waits for it and is alive.</summary>
    private static bool IsInUse(LockState state, DateTimeOffset now) => !state.Grants.IsEmpty || state.Waiters.FirstLive(now) is not null;

    /// <summary>The grant of another owner that has the occurrence that is asked for under way; null for none.</summary>
    private static LockGrant? RunUnderWay(LockState state, AcquireRequest request)
    {
        var last = state.Occurrences.Of(request.Occurrence!.Series);
        return state.Grants.FirstOrDefault(grant => !grant.IsReleased && grant.Owner != request.Owner && grant.Run is not null && grant.Run == last?.Run && grant.Series == last.Series);
    }

    /// <summary>Takes a wait out of the queue. Those behind it may fit beside those who hold the lock, where it did not.</summary>
    private static LockChange<TReply> Leave<TReply>(
        LockState state, TReply reply, LockOwner owner, long entry, LockShare? share, string lockName, DateTimeOffset now, TimeSpan claimWindow)
    {
        var waiters = state.Waiters.Without(owner, entry);
        var left = waiters == state.Waiters ? state : state with { Waiters = waiters };
        return share is null ? new() { State = left, Reply = reply } : PassOn(left, reply, lockName, now, claimWindow);
    }

    private static LockChange<AcquireReply> Granted(
        LockState state, LockGrant? before, LockGrant grant, AcquireRequest request, OccurrenceStatus status, string? run, DateTimeOffset now)
    {
        if (request is { Occurrence: { } begun, Share: not null })
        {
            grant = grant with { Series = begun.Series, Run = begun.Run };
        }

        return new()
        {
            State = state with
            {
                Grants = before is null ? state.Grants.Add(grant) : state.Grants.With(before, grant),
                LastToken = Math.Max(state.LastToken, grant.FencingToken),
                Waiters = state.Waiters.Without(request.Owner, request.Entry),
                Occurrences = request.Occurrence is { } started ? state.Occurrences.Begin(started, now) : state.Occurrences,
            },
            Reply = new AcquireReply { FencingToken = grant.FencingToken, Permit = grant.Permit, OccurrenceStatus = status, OccurrenceRun = run },
        };
    }

    private static LockChange<AcquireReply> Refused(LockState state, LockGrant holder, AcquireRequest request, OccurrenceStatus status, string? run, DateTimeOffset now)
    {
        var before = 0;
        if (request.Wait)
        {
            state = state with { Waiters = state.Waiters.Join(request, holder.LastsUntil, now, out before) };
        }

        var reply = new AcquireReply
        {
            Holder = holder.Describe(now),
            WaitersBefore = before,
            StoreTime = now,
            LastToken = request.Share is null ? null : state.LastToken,
            OccurrenceStatus = status == OccurrenceStatus.Recovering ? OccurrenceStatus.Running : OccurrenceStatus.None,
            OccurrenceRun = run,
        };
        return new() { State = state, Reply = reply };
    }
}
