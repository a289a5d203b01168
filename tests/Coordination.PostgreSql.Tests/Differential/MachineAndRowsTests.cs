using Coordination.PostgreSql.Stores;
using Coordination.Stores;
using CsCheck;

namespace Coordination.PostgreSql.Tests.Differential;

/// <summary>The machine by itself, and the machine on what rows say after each step: the same requests at the same moments get equal replies from both.</summary>
public sealed class MachineAndRowsTests
{
    private static readonly LockOwner[] Owners = [new("ada", 1), new("ada", 2), new("bob", 1), new("cy", 1)];

    private static readonly LockShare?[] Exclusive = [null];

    private static readonly LockShare?[] Permits = [LockShare.PermitOf(2)];

    private static readonly LockShare?[] ReadersAndWriters = [LockShare.Read, LockShare.UpgradeableRead, LockShare.Write, LockShare.UpgradeOf(Owners[0])];

    private static readonly Gen<TimeSpan> Duration = Gen.OneOf(Gen.Const(100), Gen.Const(250), Gen.Const(1000), Gen.Const(5000)).Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds));

    private static readonly Gen<Step> AnyStep = Gen.Select(Gen.Int[0, 11], Gen.Int[0, 3], Gen.Long[1, 3], Duration, Gen.Int[0, 1023], Gen.Int[-300, 2000], (kind, owner, entry, lease, dice, passing) =>
        new Step(kind, owner, entry, lease, dice, TimeSpan.FromMilliseconds(passing)));

    [Theory]
    [Promise("G1")]
    [Promise("G6")]
    [InlineData("exclusive")]
    [InlineData("semaphore")]
    [InlineData("readers and writers")]
    public void What_rows_say_is_all_that_the_machine_remembers(string kind)
    {
        var shares = kind switch { "exclusive" => Exclusive, "semaphore" => Permits, _ => ReadersAndWriters };
        AnyStep.Array[1, 100].Sample(steps => Play(steps, shares), iter: 500, threads: 1);
    }

    private static void Play(Step[] steps, LockShare?[] shares)
    {
        var (memory, rows, now) = (LockState.Empty, LockState.Empty, DateTimeOffset.UnixEpoch.AddDays(20_000));
        foreach (var step in steps)
        {
            now += step.Passing;
            (memory, var expected) = step.Take(memory, shares, now);
            (rows, var actual) = step.Take(rows, shares, now);
            Assert.Equal(expected, actual);

            // As the store writes it, and reads it again.
            rows = LockText.Read(LockText.Write(rows), rows.LastToken, [.. rows.Grants.Select(GrantColumns.Of)]);
            Assert.Equal(LockProtocol.MayForget(memory, now), LockProtocol.MayForget(rows, now));
        }
    }

    private sealed record Step(int Kind, int Owner, long Entry, TimeSpan Lease, int Dice, TimeSpan Passing)
    {
        public (LockState State, string Said) Take(LockState state, LockShare?[] shares, DateTimeOffset now)
        {
            var share = shares[Dice % shares.Length];
            var occurrence = (Dice & 48) != 0 ? null : new Occurrence { Series = "daily", Time = DateTimeOffset.UnixEpoch.AddDays(Dice % 3), Run = $"run-{Entry}", RememberFor = TimeSpan.FromHours(1), Recover = (Dice & 64) == 0 };
            switch (Kind)
            {
                case <= 4:
                    return Said(LockProtocol.Acquire(state, new AcquireRequest { LockName = "lock", Owner = Owners[Owner], Entry = Entry, LeaseDuration = Lease, ClaimWindow = Lease, Share = share, Wait = (Dice & 128) == 0, AllowBarging = (Dice & 768) == 0, Occurrence = occurrence, Note = Entry == 2 ? "note" : null, Rank = Entry }, now));
                case <= 8:
                    return Said(LockProtocol.Release(state, new ReleaseRequest { LockName = "lock", Owner = Owners[Owner], Entry = Entry, ClaimWindow = Lease, Share = share, TakesHandover = (Dice & 128) == 0, LockAtLeastFor = (Dice & 768) == 0 ? Lease : TimeSpan.Zero, Occurrence = occurrence, OccurrenceIsFinished = (Dice & 256) == 0 }, now));
                case 9:
                    return Said(LockProtocol.Renew(state, new RenewalRequest { LockName = "lock", Owner = Owners[Owner], LeaseDuration = Lease, Share = share, Entry = (Dice & 128) == 0 ? Entry : null, ClaimedEntry = (Dice & 768) == 0 ? Entry : null }, now));
                case 10:
                    return Said(LockProtocol.Revoke(state, "lock", state.LastToken, Lease, now));
                default:
                    var seen = LockProtocol.Inspect(state, "lock", 10, now);
                    return (state, string.Join('\n', [seen.Capacity.ToString(), .. seen.Holders.Select(holder => holder.ToString()), .. seen.Waiters.Select(waiter => waiter.ToString())]));
            }
        }

        private static (LockState State, string Said) Said<TReply>(LockChange<TReply> change) => (change.State, string.Join('\n', [change.Reply!.ToString()!, .. change.Notifications.Select(told => told.ToString())]));
    }
}
