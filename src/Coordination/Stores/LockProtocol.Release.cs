using System.Collections.Immutable;

namespace Coordination.Stores;

/// <content>Releasing a lock, revoking it, and what becomes of it then.</content>
public static partial class LockProtocol
{
    /// <summary>How many nodes are told to ask again when a lock is passed on.</summary>
    private const int NodesTold = 3;

    /// <summary>Takes an entry out of a lock and its place out of the queue, as <see cref="ILockStore.ReleaseAsync"/> says.</summary>
    /// <param name="state">The lock.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="now">The store's time.</param>
    public static LockChange<ReleaseReply> Release(LockState state, ReleaseRequest request, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(request);
        state = WithoutLapsed(state, now);
        var waiters = state.Waiters.Without(request.Owner, request.Entry);
        if (state.Grant is not { } grant || !grant.IsHeldBy(request.Owner))
        {
            return new() { State = state with { Waiters = waiters }, Reply = ReleaseReply.NotHeld };
        }

        var entries = grant.Entries.Remove(request.Entry);

        // A lock that was handed over to a newer wait of the owner, and is not claimed yet, is that one's.
        if (entries.Length > 0)
        {
            return new() { State = state with { Grant = grant with { Entries = entries }, Waiters = waiters }, Reply = ReleaseReply.StillHeldByOwner };
        }

        var occurrences = request.Occurrence is { } ended ? state.Occurrences.End(ended, request.OccurrenceIsFinished) : state.Occurrences;
        var keptUntil = (grant.Since < now ? grant.Since : now).After(request.LockAtLeastFor);
        if (keptUntil > now)
        {
            var kept = grant with { IsReleased = true, Entries = [], RenewedAt = now, LastsUntil = keptUntil };
            return new()
            {
                State = state with { Grant = kept, Waiters = waiters, Occurrences = occurrences },
                Reply = ReleaseReply.Released,
                Notifications = AskAgain(waiters, request.LockName, exceptNode: null, now, keptUntil - now, request.ClaimWindow),
            };
        }

        var free = state with { Grant = null, Waiters = waiters, Occurrences = occurrences };
        if (request.AllowBarging)
        {
            return new() { State = free, Reply = ReleaseReply.Released, Notifications = AskAgain(waiters, request.LockName, exceptNode: null, now, TimeSpan.Zero, request.ClaimWindow) };
        }

        return request.TakesHandover && free.Waiters.FirstLive(now) is { } next && next.Owner.NodeId == request.Owner.NodeId
            ? GiveToOwn(free, next, request, now)
            : PassOn(free, ReleaseReply.Released, request.LockName, now, request.ClaimWindow);
    }

    /// <summary>Revokes a lock, as <see cref="ILockStoreAdministration.RevokeAsync"/> says.</summary>
    /// <param name="state">The lock.</param>
    /// <param name="lockName">Its name.</param>
    /// <param name="fencingToken">The token of the grant that is to end.</param>
    /// <param name="claimWindow">How long the lock stays passed to the next waiter without being claimed.</param>
    /// <param name="now">The store's time.</param>
    public static LockChange<bool> Revoke(LockState state, string lockName, long fencingToken, TimeSpan claimWindow, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(lockName);
        state = WithoutLapsed(state, now);
        if (state.Grant is not { } grant || grant.FencingToken != fencingToken)
        {
            // A repeated request gets the same reply as the first one.
            return new() { State = state, Reply = IsRevoked(state, fencingToken) };
        }

        var free = state with { Grant = null };
        if (grant.IsReleased)
        {
            return PassOn(free, true, lockName, now, claimWindow);
        }

        var revoked = new RevokedGrant { FencingToken = fencingToken, Until = grant.LastsUntil };
        var change = PassOn(free with { Revoked = state.Revoked.Add(revoked) }, true, lockName, now, claimWindow);
        return change with { Notifications = [LockNotification.Revoked(lockName, grant.Owner, fencingToken), .. change.Notifications] };
    }

    /// <summary>Forgets the last occurrence of a series.</summary>
    /// <param name="state">The lock as it is.</param>
    /// <param name="series">The series.</param>
    /// <param name="now">The store's time.</param>
    /// <returns>Whether there was one.</returns>
    public static LockChange<bool> ForgetOccurrence(LockState state, string series, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(series);
        state = WithoutLapsed(state, now);
        var occurrences = state.Occurrences.Without(series);
        return new() { State = state with { Occurrences = occurrences }, Reply = occurrences.Length < state.Occurrences.Length };
    }

    /// <summary>Passes a lock that became free to the first live waiter, or leaves it free when there is none.</summary>
    private static LockChange<TReply> PassOn<TReply>(LockState free, TReply reply, string lockName, DateTimeOffset now, TimeSpan claimWindow)
    {
        if (free.Waiters.FirstLive(now) is not { } next)
        {
            return new() { State = free, Reply = reply };
        }

        var (passed, grant) = HandOver(free, next, now, claimWindow);
        return new() { State = passed, Reply = reply, Notifications = TellOfHandover(passed, grant, lockName, now, claimWindow) };
    }

    /// <summary>Grants the lock to a waiter of the releasing node, for the claim window: the reply tells it.</summary>
    private static LockChange<ReleaseReply> GiveToOwn(LockState free, QueuedWaiter next, ReleaseRequest request, DateTimeOffset now)
    {
        var grant = NewGrant(free, next.Owner, now, request.ClaimWindow) with { Entries = [next.Entry], IsClaimed = true };
        var waiters = free.Waiters.Without(next.Owner, next.Entry);
        return new()
        {
            State = free with { Grant = grant, LastToken = grant.FencingToken, Waiters = waiters },
            Reply = ReleaseReply.Released with { NextOwner = next.Owner, Handover = Describe(grant, request.ClaimWindow) },
            Notifications = AskAgain(waiters, request.LockName, next.Owner.NodeId, now, request.ClaimWindow, request.ClaimWindow),
        };
    }

    private static LockHandover Describe(LockGrant grant, TimeSpan claimWindow) =>
        new() { Entry = grant.Entries[0], FencingToken = grant.FencingToken, At = grant.RenewedAt, ClaimWindow = claimWindow };

    private static (LockState State, LockGrant Grant) HandOver(LockState free, QueuedWaiter next, DateTimeOffset now, TimeSpan claimWindow)
    {
        var grant = NewGrant(free, next.Owner, now, claimWindow) with { Entries = [next.Entry] };
        return (free with { Grant = grant, LastToken = grant.FencingToken, Waiters = free.Waiters.Skip(next, now) }, grant);
    }

    private static ImmutableArray<LockNotification> TellOfHandover(LockState passed, LockGrant grant, string lockName, DateTimeOffset now, TimeSpan claimWindow) =>
    [
        LockNotification.Granted(lockName, grant.Owner, Describe(grant, claimWindow)),
        .. AskAgain(passed.Waiters, lockName, grant.Owner.NodeId, now, claimWindow, claimWindow),
    ];

    /// <summary>
    /// Tells the next live waiters to ask again, one for each node: the first after some time, each further one a claim window later,
    /// for those before it may be dead and leave the lock lying.
    /// </summary>
    private static ImmutableArray<LockNotification> AskAgain(
        ImmutableArray<QueuedWaiter> waiters, string lockName, string? exceptNode, DateTimeOffset now, TimeSpan after, TimeSpan claimWindow) =>
    [
        .. waiters
            .Where(waiter => waiter.IsAlive(now) && waiter.Owner.NodeId != exceptNode)
            .DistinctBy(waiter => waiter.Owner.NodeId)
            .Take(NodesTold)
            .Select((waiter, place) => LockNotification.AskAgain(lockName, waiter.Owner, after + (place * claimWindow))),
    ];
}
