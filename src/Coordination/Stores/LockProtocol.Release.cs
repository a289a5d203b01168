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
        if ((request.Share is null) != (state.Capacity == LockCapacity.Exclusive))
        {
            // Lost, and used in another way meanwhile.
            return new() { State = state, Reply = ReleaseReply.NotHeld };
        }

        if (state.Grants.HeldBy(request.Owner) is not { } grant || grant.Share != request.Share)
        {
            return Leave(state, ReleaseReply.NotHeld, request.Owner, request.Entry, request.Share, request.LockName, now, request.ClaimWindow);
        }

        var left = state with { Waiters = state.Waiters.Without(request.Owner, request.Entry) };

        // A lock that was handed over to a newer wait of the owner, and is not claimed yet, is that one's.
        var rest = grant.Without(request.Entry);
        if (rest.Entries.Length > 0)
        {
            return new() { State = left with { Grants = state.Grants.With(grant, rest) }, Reply = ReleaseReply.StillHeldByOwner };
        }

        left = left with { Occurrences = request.Occurrence is { } ended ? state.Occurrences.End(ended, request.OccurrenceIsFinished) : state.Occurrences };
        var keptUntil = (grant.Since < now ? grant.Since : now).After(request.LockAtLeastFor);
        if (keptUntil > now)
        {
            var kept = grant with { IsReleased = true, Entries = [], Notes = [], RenewedAt = now, LastsUntil = keptUntil };
            left = left with { Grants = state.Grants.With(grant, kept) };

            // An upgrade that waited for this reader has nothing to wait for any more, and those behind it may fit.
            var change = request.Share is null ? new() { State = left, Reply = false } : PassOn(left, request.LockName, now, request.ClaimWindow);
            return new()
            {
                State = change.State,
                Reply = ReleaseReply.Released,
                Notifications = [.. change.Notifications, .. AskAgain(change.State.Waiters, request.LockName, [], now, keptUntil - now, request.ClaimWindow)],
            };
        }

        var free = left with { Grants = state.Grants.Remove(grant) };
        if (request.AllowBarging)
        {
            return new() { State = free, Reply = ReleaseReply.Released, Notifications = AskAgain(free.Waiters, request.LockName, [], now, TimeSpan.Zero, request.ClaimWindow) };
        }

        var successor = SuccessorOf(free, request, now);
        return request.TakesHandover && (successor ?? NextOf(free, now)) is { } next && next.Owner.NodeId == request.Owner.NodeId ? GiveToOwn(free, next, request, now)
            : successor is not null ? GiveTo(free, successor, request, now)
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
        if (state.Grants.FirstOrDefault(grant => grant.FencingToken == fencingToken) is not { } grant)
        {
            // A repeated request gets the same reply as the first one.
            return new() { State = state, Reply = IsRevoked(state, fencingToken) };
        }

        var free = state with { Grants = state.Grants.Remove(grant) };
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

    private static LockChange<TReply> PassOn<TReply>(LockState free, TReply reply, string lockName, DateTimeOffset now, TimeSpan claimWindow)
    {
        var change = PassOn(free, lockName, now, claimWindow);
        return new() { State = change.State, Reply = reply, Notifications = change.Notifications };
    }

    /// <summary>
    /// Passes a lock to the first live waiter, and to as many behind it as fit beside, each in its turn: where one does not fit, those behind it wait.
    /// </summary>
    /// <param name="state">The lock.</param>
    /// <param name="lockName">Its name.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="claimWindow">How long the lock stays passed without being claimed.</param>
    /// <param name="upTo">Who asks, and gets its turn in another way; null for nobody.</param>
    /// <param name="given">The node that was given the lock already; null for none.</param>
    /// <returns>Whether it is the turn of who asks, as far as the queue goes.</returns>
    private static LockChange<bool> PassOn(LockState state, string lockName, DateTimeOffset now, TimeSpan claimWindow, AcquireRequest? upTo = null, string? given = null)
    {
        ImmutableArray<LockNotification>.Builder? told = null;
        List<string>? nodes = given is null ? null : [given];
        var isTurn = true;
        state = WithoutLongDead(state, upTo?.Owner, now);
        var end = upTo is null ? int.MaxValue : state.Waiters.PlaceOf(upTo.Owner, upTo.Entry);
        end = end < 0 ? state.Waiters.EndFor(upTo!.Share) : end;
        for (var place = 0; place < end && place < state.Waiters.Length; place++)
        {
            var waiter = state.Waiters[place];
            if (waiter.Owner == upTo?.Owner)
            {
                // Another wait of who asks, and so is alive: its turn all the same.
                break;
            }

            if (!waiter.IsAlive(now))
            {
                continue;
            }

            if (!state.Grants.HaveReaderOf(waiter.Share))
            {
                // There is nothing left to upgrade, and it learns of that when it asks.
                state = state with { Waiters = state.Waiters.Skip(waiter, now) };
                (told ??= ImmutableArray.CreateBuilder<LockNotification>()).Add(LockNotification.AskAgain(lockName, waiter.Owner, TimeSpan.Zero));
                continue;
            }

            if (!state.Grants.HaveRoomFor(waiter.Owner, waiter.Share))
            {
                isTurn = false;
                break;
            }

            state = HandOver(state, waiter, now, claimWindow, out var grant);
            (told ??= ImmutableArray.CreateBuilder<LockNotification>()).Add(LockNotification.Granted(lockName, grant.Owner, Describe(grant, claimWindow)));
            (nodes ??= []).Add(grant.Owner.NodeId);
        }

        if (nodes is not null)
        {
            (told ??= ImmutableArray.CreateBuilder<LockNotification>()).AddRange(AskAgain(state.Waiters, lockName, nodes, now, claimWindow, claimWindow));
        }

        return new() { State = state, Reply = isTurn, Notifications = told is null ? [] : told.ToImmutable() };
    }

    /// <summary>Of a lock that several may hold: with a queue, it is more work to acquire and release it, also where all who wait are dead.</summary>
    private static LockState WithoutLongDead(LockState state, LockOwner? asking, DateTimeOffset now)
    {
        if (state.Capacity == LockCapacity.Exclusive || state.Waiters.IsEmpty)
        {
            return state;
        }

        var waiters = state.Waiters.WithoutLongDead(now, asking);
        return waiters == state.Waiters ? state : state with { Waiters = waiters };
    }

    /// <summary>The first live waiter, if it fits; else null.</summary>
    private static QueuedWaiter? NextOf(LockState free, DateTimeOffset now) => IfFits(free, free.Waiters.FirstLive(now));

    /// <summary>The first live waiter of the node that the lock is to pass to, if there is one and it fits; else null.</summary>
    private static QueuedWaiter? SuccessorOf(LockState free, ReleaseRequest request, DateTimeOffset now) =>
        request.Successor is { } node ? IfFits(free, free.Waiters.FirstLiveOf(node, now)) : null;

    private static QueuedWaiter? IfFits(LockState free, QueuedWaiter? next) =>
        next is not null && free.Grants.HaveReaderOf(next.Share) && free.Grants.HaveRoomFor(next.Owner, next.Share) ? next : null;

    /// <summary>Passes the lock to a waiter whose turn it is not, and then to those who fit beside it.</summary>
    private static LockChange<ReleaseReply> GiveTo(LockState free, QueuedWaiter next, ReleaseRequest request, DateTimeOffset now)
    {
        var given = HandOver(free, next, now, request.ClaimWindow, out var grant);
        var rest = PassOn(given, request.LockName, now, request.ClaimWindow, given: next.Owner.NodeId);
        var told = LockNotification.Granted(request.LockName, grant.Owner, Describe(grant, request.ClaimWindow));
        return new() { State = rest.State, Reply = ReleaseReply.Released, Notifications = [told, .. rest.Notifications] };
    }

    /// <summary>With a waiter's grant, which it is to claim, and whose place is skipped from here on.</summary>
    private static LockState HandOver(LockState state, QueuedWaiter waiter, DateTimeOffset now, TimeSpan claimWindow, out LockGrant grant)
    {
        grant = NewGrant(state, waiter.Owner, now, claimWindow, waiter.Share).By(waiter.Entry, waiter.Note, waiter.Rank);
        return state with { Grants = state.Grants.Add(grant), LastToken = grant.FencingToken, Waiters = state.Waiters.Skip(waiter, now) };
    }

    /// <summary>Grants the lock to a waiter of the releasing node, for the claim window: the reply tells it. Others may fit beside.</summary>
    private static LockChange<ReleaseReply> GiveToOwn(LockState free, QueuedWaiter next, ReleaseRequest request, DateTimeOffset now)
    {
        var grant = NewGrant(free, next.Owner, now, request.ClaimWindow, next.Share).By(next.Entry, next.Note, next.Rank) with { IsClaimed = true };
        var given = free with { Grants = free.Grants.Add(grant), LastToken = grant.FencingToken, Waiters = free.Waiters.Without(next.Owner, next.Entry) };
        var reply = ReleaseReply.Released with { NextOwner = next.Owner, Handover = Describe(grant, request.ClaimWindow) };
        var rest = PassOn(given, request.LockName, now, request.ClaimWindow, given: next.Owner.NodeId);
        return new() { State = rest.State, Reply = reply, Notifications = rest.Notifications };
    }

    private static LockHandover Describe(LockGrant grant, TimeSpan claimWindow) =>
        new() { Entry = grant.Entries[0], FencingToken = grant.FencingToken, Permit = grant.Permit, At = grant.RenewedAt, ClaimWindow = claimWindow };

    /// <summary>
    /// Tells the next live waiters to ask again, one for each node: the first after some time, each further one a claim window later,
    /// for those before it may be dead and leave the lock lying.
    /// </summary>
    private static ImmutableArray<LockNotification> AskAgain(
        ImmutableArray<QueuedWaiter> waiters, string lockName, List<string> exceptNodes, DateTimeOffset now, TimeSpan after, TimeSpan claimWindow) =>
    [
        .. waiters
            .Where(waiter => waiter.IsAlive(now) && !exceptNodes.Contains(waiter.Owner.NodeId))
            .DistinctBy(waiter => waiter.Owner.NodeId)
            .Take(NodesTold)
            .Select((waiter, place) => LockNotification.AskAgain(lockName, waiter.Owner, after + (place * claimWindow))),
    ];
}
