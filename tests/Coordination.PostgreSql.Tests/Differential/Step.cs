using Coordination.Stores;
using CsCheck;

namespace Coordination.PostgreSql.Tests.Differential;

/// <summary>One request of a schedule, which can be asked of the machine and of a store: what either says is compared as text.</summary>
internal sealed record Step(int Kind, int Owner, long Entry, TimeSpan Lease, int Dice, TimeSpan Passing)
{
    private static readonly LockOwner[] Owners = [new("ada", 1), new("ada", 2), new("bob", 1), new("cy", 1)];

    private static readonly LockShare?[] Exclusive = [null];

    private static readonly LockShare?[] Permits = [LockShare.PermitOf(2)];

    private static readonly LockShare?[] ReadersAndWriters = [LockShare.Read, LockShare.UpgradeableRead, LockShare.Write, LockShare.UpgradeOf(Owners[0])];

    private static readonly Gen<TimeSpan> Duration = Gen.OneOf(Gen.Const(100), Gen.Const(250), Gen.Const(1000), Gen.Const(5000)).Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds));

    public static readonly Gen<Step> Any = Gen.Select(Gen.Int[0, 11], Gen.Int[0, 3], Gen.Long[1, 3], Duration, Gen.Int[0, 1023], Gen.Int[-300, 2000], (kind, owner, entry, lease, dice, passing) =>
        new Step(kind, owner, entry, lease, dice, TimeSpan.FromMilliseconds(passing)));

    /// <summary>The nodes that are notified.</summary>
    public static IEnumerable<string> Nodes => Owners.Select(owner => owner.NodeId).Distinct();

    /// <summary>What a lock is used as, by its name in a test.</summary>
    public static LockShare?[] SharesOf(string kind) => kind switch { "exclusive" => Exclusive, "semaphore" => Permits, _ => ReadersAndWriters };

    /// <summary>Asks the machine.</summary>
    public (LockState State, string Said) Take(LockState state, LockShare?[] shares, DateTimeOffset now)
    {
        switch (Kind)
        {
            case <= 4:
                return Said(LockProtocol.Acquire(state, AcquireOf("lock", shares), now));
            case <= 8:
                return Said(LockProtocol.Release(state, ReleaseOf("lock", shares), now));
            case 9:
                return Said(LockProtocol.Renew(state, RenewalOf("lock", shares), now));
            case 10:
                return Said(LockProtocol.Revoke(state, "lock", state.LastToken, Lease, now));
            default:
                return (state, Said(LockProtocol.Inspect(state, "lock", 10, now)));
        }
    }

    /// <summary>Asks a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">Its lock.</param>
    /// <param name="shares">What it is used as.</param>
    /// <param name="lastToken">The last token of the lock.</param>
    /// <param name="told">What its nodes were notified of.</param>
    public async Task<string> AskAsync(ILockStore store, string name, LockShare?[] shares, long lastToken, List<LockNotification> told)
    {
        var (administration, cancellation) = ((ILockStoreAdministration)store, TestContext.Current.CancellationToken);
        told.Clear();
        object reply = Kind switch
        {
            <= 4 => await store.AcquireAsync(AcquireOf(name, shares), cancellation) with { StoreClock = 0 },
            <= 8 => WithoutClock(await store.ReleaseAsync(ReleaseOf(name, shares), cancellation)),
            9 => (await store.RenewAsync([RenewalOf(name, shares)], cancellation))[0],
            10 => await administration.RevokeAsync(name, lastToken, Lease, cancellation),
            _ => Said(await administration.InspectAsync(name, 10, cancellation)),
        };
        return string.Join('\n', [reply.ToString()!, .. told.Select(one => (one with { LockName = "lock", Handover = one.Handover is { } handover ? handover with { StoreClock = 0 } : null }).ToString())]);
    }

    /// <summary>What an operator sees.</summary>
    public static string Said(LockInspection seen) => string.Join('\n', [seen.Capacity.ToString(), .. seen.Holders.Select(holder => holder.ToString()), .. seen.Waiters.Select(waiter => waiter.ToString())]);

    private static ReleaseReply WithoutClock(ReleaseReply reply) => reply.Handover is { } handover ? reply with { Handover = handover with { StoreClock = 0 } } : reply;

    private static (LockState State, string Said) Said<TReply>(LockChange<TReply> change) => (change.State, string.Join('\n', [change.Reply!.ToString()!, .. change.Notifications.Select(told => told.ToString())]));

    private AcquireRequest AcquireOf(string name, LockShare?[] shares) => new()
    {
        LockName = name,
        Owner = Owners[Owner],
        Entry = Entry,
        LeaseDuration = Lease,
        ClaimWindow = Lease,
        Share = ShareOf(shares),
        Wait = (Dice & 128) == 0,
        AllowBarging = (Dice & 768) == 0,
        IsQueued = (Dice & 8) == 0,
        Occurrence = Occurrence,
        Note = Entry == 2 ? "note" : null,
        Rank = Entry,
    };

    private ReleaseRequest ReleaseOf(string name, LockShare?[] shares) => new()
    {
        LockName = name,
        Owner = Owners[Owner],
        Entry = Entry,
        ClaimWindow = Lease,
        Share = ShareOf(shares),
        TakesHandover = (Dice & 128) == 0,
        LockAtLeastFor = (Dice & 768) == 0 ? Lease : TimeSpan.Zero,
        Occurrence = Occurrence,
        OccurrenceIsFinished = (Dice & 256) == 0,
    };

    private RenewalRequest RenewalOf(string name, LockShare?[] shares) => new()
    {
        LockName = name,
        Owner = Owners[Owner],
        LeaseDuration = Lease,
        Share = ShareOf(shares),
        Entry = (Dice & 128) == 0 ? Entry : null,
        ClaimedEntry = (Dice & 768) == 0 ? Entry : null,
    };

    private LockShare? ShareOf(LockShare?[] shares) => shares[Dice % shares.Length];

    private Occurrence? Occurrence => (Dice & 48) != 0 ? null : new Occurrence
    {
        Series = "daily",
        Time = DateTimeOffset.UnixEpoch.AddDays(Dice % 3),
        Run = $"run-{Entry}",
        RememberFor = TimeSpan.FromHours(1),
        Recover = (Dice & 64) == 0,
    };
}
