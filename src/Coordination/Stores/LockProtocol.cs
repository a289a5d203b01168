using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>
/// What <see cref="ILockStore"/> promises, as a machine with no clock, no lock and no input or output: of a lock's state, a request and the
/// time it makes the next state, the reply and the notifications. For authors of stores that can replace a document atomically.
/// </summary>
/// <remarks>
/// <para>A store reads the state of the lock, or takes <see cref="LockState.Empty"/>, asks the machine, and writes the state that it gets if it is
/// another, provided that nobody wrote it meanwhile; else it begins again. Then it replies, and sends the notifications.</para>
/// <para>The time is that of the store, one clock for all nodes. What ran out by then counts for nothing, whether it was removed or not. A clock that is set
/// back lengthens no lease by the step; one that is set forward ends leases early.</para>
/// </remarks>
/// <example>
/// <code>
/// LockChange&lt;AcquireReply&gt; change;
/// do
/// {
///     var (before, version) = await ReadAsync(request.LockName);
///     change = LockProtocol.Acquire(before, request, now);
///     written = change.State == before || await TryWriteAsync(request.LockName, change.State, version);
/// }
/// while (!written);
/// </code>
/// </example>
public static partial class LockProtocol
{
    /// <summary>How long a token is remembered after the clock has passed it.</summary>
    private static readonly TimeSpan TokenRetention = TimeSpan.FromDays(1);

    /// <summary>Extends a lock, as <see cref="ILockStore.RenewAsync"/> says for each request.</summary>
    /// <param name="state">The lock.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="now">The store's time.</param>
    public static LockChange<RenewalReply> Renew(LockState state, RenewalRequest request, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        state = WithoutLapsed(state, now);
        if (state.Grants.HeldBy(request.Owner) is { } grant && grant.Share == request.Share && (request.FencingToken ?? grant.FencingToken) == grant.FencingToken)
        {
            var waiters = request.ClaimedEntry is { } entry ? state.Waiters.Without(request.Owner, entry) : state.Waiters;
            var isOnly = request.ClaimedEntry is null && grant.Entries is [var only] && only == request.Entry;
            var renewed = grant.Renew(now, request.LeaseDuration, mayShorten: isOnly);
            return new() { State = state with { Grants = state.Grants.With(grant, renewed), Waiters = waiters }, Reply = RenewalReply.Renewed };
        }

        var isRevoked = request.FencingToken is { } token && IsRevoked(state, token);
        return new() { State = state, Reply = isRevoked ? RenewalReply.Revoked : RenewalReply.NotHeld };
    }

    /// <summary>Asks a holder to step down, as <see cref="ILockStoreAdministration.AskToStepDownAsync"/>. The lock stays as it is.</summary>
    /// <param name="state">The lock.</param>
    /// <param name="lockName">Its name.</param>
    /// <param name="fencingToken">The token of the grant that is to end.</param>
    /// <param name="request">What its holder is asked.</param>
    /// <param name="now">The store's time.</param>
    public static LockChange<bool> AskToStepDown(LockState state, string lockName, long fencingToken, StepDownRequest request, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(lockName);
        ArgumentNullException.ThrowIfNull(request);
        var grant = WithoutLapsed(state, now).Grants.FirstOrDefault(grant => grant.FencingToken == fencingToken && !grant.IsReleased);
        return grant is null
            ? new() { State = state, Reply = false }
            : new() { State = state, Reply = true, Notifications = [LockNotification.StepDown(lockName, grant.Owner, fencingToken, request)] };
    }

    /// <summary>Says who holds a lock, as <see cref="ILockStoreAdministration.GetHolderAsync"/>.</summary>
    /// <param name="state">The lock.</param>
    /// <param name="now">The store's time.</param>
    /// <returns>Who has held it for the longest time; null when nobody does.</returns>
    public static LockHolder? Describe(LockState state, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        return WithoutLapsed(state, now).Grants is [{ } first, ..] ? first.Describe(now) : null;
    }

    /// <summary>Says who holds a lock and who waits for it, as <see cref="ILockStoreAdministration.InspectAsync"/>.</summary>
    /// <param name="state">The lock.</param>
    /// <param name="lockName">Its name.</param>
    /// <param name="maxWaiters">How many waiters to list at most, from the front of the queue.</param>
    /// <param name="now">The store's time.</param>
    public static LockInspection Inspect(LockState state, string lockName, int maxWaiters, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(lockName);
        state = WithoutLapsed(state, now);
        return new LockInspection
        {
            LockName = lockName,
            Capacity = IsInUse(state, now) ? state.Capacity : LockCapacity.Exclusive,
            Holders = [.. state.Grants.Select(grant => grant.Describe(now))],
            Waiters = [.. state.Waiters.Take(maxWaiters).Select(waiter => waiter.Describe(now))],
            WaiterCount = state.Waiters.Length,
        };
    }

    /// <summary>
    /// Takes away what has run out: a grant, waiters that have been dead for long, what is remembered of revoked grants and of occurrences. No request
    /// needs it: it is for locks that nobody asks for any more, so that locks with names of the moment leave nothing behind.
    /// </summary>
    /// <param name="state">The lock.</param>
    /// <param name="now">The store's time.</param>
    public static LockState Expire(LockState state, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        state = WithoutLapsed(state, now);
        var waiters = state.Waiters.IsEmpty ? state.Waiters : state.Waiters.WithoutLongDead(now);
        return waiters == state.Waiters ? state : state with { Waiters = waiters };
    }

    /// <summary>Whether nothing is remembered of a lock but its last token. What has run out counts until <see cref="Expire"/> took it away.</summary>
    /// <param name="state">The lock.</param>
    public static bool IsEmpty(LockState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state is { Grants.IsEmpty: true, Waiters.IsEmpty: true, Revoked.IsEmpty: true, Occurrences.IsEmpty: true };
    }

    /// <summary>
    /// Whether a store may forget a lock: nothing of it is left, and its last token is a day behind the clock, so that a token that
    /// is made of the clock alone is greater, also when the clock is set back a little.
    /// </summary>
    /// <param name="state">The lock.</param>
    /// <param name="now">The store's time.</param>
    public static bool MayForget(LockState state, DateTimeOffset now) =>
        IsEmpty(Expire(state, now)) && state.LastToken < (now - TokenRetention).UnixMicroseconds;

    /// <summary>A grant to an owner, whoever has the lock.</summary>
    internal static LockGrant NewGrant(LockState state, LockOwner owner, DateTimeOffset now, TimeSpan lasts, LockShare? share = null) => new()
    {
        Owner = owner,
        FencingToken = Math.Max(state.LastToken + 1, now.UnixMicroseconds),
        Since = now,
        RenewedAt = now,
        LastsUntil = now.After(lasts),
        Share = share,
        Permit = share?.Kind == LockShareKind.Permit ? state.Grants.FirstFreePermit() : null,
    };

    /// <summary>What counts at a moment.</summary>
    private static LockState WithoutLapsed(LockState state, DateTimeOffset now)
    {
        var grants = WithoutLapsed(state.Grants, now);
        var revoked = state.Revoked.IsEmpty ? state.Revoked : WithoutLapsed(state.Revoked, now);
        var occurrences = state.Occurrences.IsEmpty ? state.Occurrences : state.Occurrences.WithoutForgotten(now);
        return grants == state.Grants && revoked == state.Revoked && occurrences == state.Occurrences
            ? state
            : state with { Grants = grants, Revoked = revoked, Occurrences = occurrences };
    }

    /// <summary>Mostly nothing ran out, and nobody set the clock back.</summary>
    private static ImmutableArray<LockGrant> WithoutLapsed(ImmutableArray<LockGrant> grants, DateTimeOffset now)
    {
        foreach (var grant in grants)
        {
            if (grant.RenewedAt > now || grant.LastsUntil <= now)
            {
                return [.. grants.Select(grant => grant.At(now)).Where(grant => grant.LastsUntil > now)];
            }
        }

        return grants;
    }

    private static ImmutableArray<RevokedGrant> WithoutLapsed(ImmutableArray<RevokedGrant> revoked, DateTimeOffset now) =>
        revoked.RemoveAll(grant => grant.Until <= now);

    private static bool IsRevoked(LockState state, long fencingToken) => state.Revoked.Any(grant => grant.FencingToken == fencingToken);
}
