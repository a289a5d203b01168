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
        var (status, run) = request.Occurrence is { } wanted ? state.Occurrences.Judge(wanted) : default;
        if (status == OccurrenceStatus.AlreadyRun)
        {
            return new() { State = state with { Waiters = state.Waiters.Without(request.Owner, request.Entry) }, Reply = AcquireReply.AlreadyRun(run) };
        }

        if (state.Grant is { } held)
        {
            return held.IsHeldBy(request.Owner)
                ? Granted(state, held.Enter(request.Entry, now, request.LeaseDuration), request, status, run, now)
                : Refused(state, held, request, status, run, now);
        }

        if (!request.AllowBarging && state.Waiters.FirstLive(now, request.Owner) is { } first && first.Owner != request.Owner)
        {
            // The lock lapsed, and it is the turn of another.
            var (passed, grant) = HandOver(state, first, now, request.ClaimWindow);
            return Refused(passed, grant, request, status, run, now) with { Notifications = TellOfHandover(passed, grant, request.LockName, now, request.ClaimWindow) };
        }

        var granted = NewGrant(state, request.Owner, now, request.LeaseDuration) with { Entries = [request.Entry], IsClaimed = true };
        return Granted(state, granted, request, status, run, now);
    }

    private static LockChange<AcquireReply> Granted(LockState state, LockGrant grant, AcquireRequest request, OccurrenceStatus status, string? run, DateTimeOffset now) => new()
    {
        State = state with
        {
            Grant = grant,
            LastToken = Math.Max(state.LastToken, grant.FencingToken),
            Waiters = state.Waiters.Without(request.Owner, request.Entry),
            Occurrences = request.Occurrence is { } begun ? state.Occurrences.Begin(begun, now) : state.Occurrences,
        },
        Reply = new AcquireReply { FencingToken = grant.FencingToken, OccurrenceStatus = status, OccurrenceRun = run },
    };

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
            OccurrenceStatus = status == OccurrenceStatus.Recovering ? OccurrenceStatus.Running : OccurrenceStatus.None,
            OccurrenceRun = run,
        };
        return new() { State = state, Reply = reply };
    }
}
