using System.Globalization;
using Coordination.Redis.Tests.Clocks;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using CsCheck;
using Xunit.Sdk;

namespace Coordination.Redis.Tests.Differential;

/// <summary>
/// The machine that says what a store promises, and Redis, of a lock that several may hold at a time: the same requests at the same moments get equal replies from both.
/// Which number a permit has may differ, for Redis learns of what ran out only when there is no room.
/// </summary>
/// <remarks>
/// The server's clock stands still and is moved by the test, so that what runs out does so in the same request. <c>COORDINATION_DIFFERENTIAL_STEPS</c> sets how many
/// requests there are.
/// </remarks>
public sealed class ShareMachineAndRedisTests : ClockTests
{
    private const int StepsOfASequence = 100;

    private static readonly Gen<LockOwner> Owner = Gen.OneOf(Gen.Const(new LockOwner("ada", 1)), Gen.Const(new LockOwner("ada", 2)), Gen.Const(new LockOwner("bob", 1)), Gen.Const(new LockOwner("cy", 1)), Gen.Const(new LockOwner("bob", 2)), Gen.Const(new LockOwner("-dan", 1)));

    /// <summary>Mostly what fits one use of the name.</summary>
    private static readonly Gen<Gen<LockShare?>> Use = Gen.OneOf(
        Gen.Int[1, 3].Select(permits => Gen.Frequency((20, Gen.Const((LockShare?)LockShare.PermitOf(permits))), (1, Gen.Const((LockShare?)null)), (1, Gen.Const((LockShare?)LockShare.PermitOf(4))), (1, Gen.Const((LockShare?)LockShare.Write)))),
        Gen.Const(Gen.Frequency(
            (6, Gen.Const((LockShare?)LockShare.Read)),
            (4, Gen.Const((LockShare?)LockShare.UpgradeableRead)),
            (4, Gen.Const((LockShare?)LockShare.Write)),
            (4, Owner.Select(reader => (LockShare?)LockShare.UpgradeOf(reader))),
            (1, Gen.Const((LockShare?)null)),
            (1, Gen.Const((LockShare?)LockShare.PermitOf(2))))));

    private static readonly Gen<string?> Successor = Gen.Frequency((4, Gen.Const((string?)null)), (4, Owner.Select(owner => (string?)owner.NodeId)), (1, Gen.Const((string?)"nobody")));

    private static readonly Gen<TimeSpan> Duration = Gen.OneOf(Gen.Const(100), Gen.Const(250), Gen.Const(1000), Gen.Const(5000)).Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds));

    private static readonly Gen<Occurrence?> Occurrence = Gen.Frequency(
        (4, Gen.Const((Occurrence?)null)),
        (1, Gen.Select(Gen.Int[1, 2], Gen.Int[1, 2], Gen.Bool, (day, run, recover) => (Occurrence?)new Occurrence
        {
            Series = "daily",
            Time = DateTimeOffset.UnixEpoch.AddDays(20_000 + day),
            Run = "run-" + run.ToString(CultureInfo.InvariantCulture),
            RememberFor = TimeSpan.FromHours(1),
            Recover = recover,
        })));

    private static readonly Gen<Step[]> Steps = Use.SelectMany(share => Gen.Frequency(
        (8, Gen.Select(Owner, Gen.Long[1, 3], Duration, Duration, Gen.Bool, share, Occurrence, (owner, entry, lease, window, wait, share, occurrence) =>
            (Step)new Acquiring(owner, EntryOf(entry, share), lease, window, wait, share, occurrence))),
        (6, Gen.Select(Owner, Gen.Long[1, 3], Duration, share, Gen.Int[0, 5], Gen.Bool, Successor, Occurrence, Gen.Bool, (owner, entry, window, share, atLeast, takes, successor, occurrence, finished) =>
            (Step)new Releasing(owner, EntryOf(entry, share), window, share, atLeast == 0 ? TimeSpan.FromSeconds(2) : TimeSpan.Zero, takes, successor, occurrence, finished))),
        (4, Gen.Select(Owner, Duration, Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 2], (owner, lease, token, claimed, entry) =>
            (Step)new Renewing(owner, lease, token, claimed == 0 ? null : claimed, entry == 0 ? null : entry))),
        (1, Gen.Select(Gen.Bool, Duration, (isCurrent, window) => (Step)new Revoking(isCurrent, window))),
        (1, Gen.Bool.Select(isCurrent => (Step)new AskingToStepDown(isCurrent))),
        (1, Gen.Const((Step)new Looking())),
        (6, Gen.Frequency((12, Gen.Int[0, 2000]), (1, Gen.Int[60_000, 70_000])).Select(milliseconds => (Step)new Passing(TimeSpan.FromMilliseconds(milliseconds))))).Array[1, 2 * StepsOfASequence]);

    private int _sequences;

    /// <summary>An entry asks for one share, whenever it asks.</summary>
    private static long EntryOf(long entry, LockShare? share) =>
        share is null ? entry : entry + (10 * (1 + (int)share.Kind)) + (100 * share.Capacity.Permits) + (1000 * (share.Reader?.NodeId[0] ?? 0)) + (1_000_000 * (share.Reader?.Sequence ?? 0));

    private static int Sequences =>
        (int.TryParse(Environment.GetEnvironmentVariable("COORDINATION_DIFFERENTIAL_STEPS"), CultureInfo.InvariantCulture, out var steps) ? steps : 60_000) / StepsOfASequence;

    [Fact]
    [Promise("G1")]
    [Promise("G3")]
    [Promise("G6")]
    public async Task The_same_requests_at_the_same_moments_get_equal_replies_from_both() =>
        await Steps.SampleAsync(RunAsync, iter: Sequences, threads: 1, print: steps => $"{steps.Length} requests");

    private async Task RunAsync(Step[] steps)
    {
        var run = new Run($"shares-{Interlocked.Increment(ref _sequences)}", Store, Clock!, DateTimeOffset.UtcNow);
        for (var i = 0; i < steps.Length; i++)
        {
            var before = run.State;
            try
            {
                await steps[i].TakeAsync(run);
            }
            catch (XunitException difference)
            {
                throw new InvalidOperationException($"""
                    {difference.Message}
                    at {run.Now:O}, of {steps[i]}
                    in {before}, [{string.Join(", ", before.Grants)}], [{string.Join(", ", before.Waiters)}], [{string.Join(", ", before.Revoked)}], entries [{string.Join(", ", before.Grants.SelectMany(grant => grant.Entries))}],
                    after {string.Join("\n      ", steps[Math.Max(0, i - 12)..i].AsEnumerable())}
                    """);
            }
        }
    }

    /// <summary>One lock in both.</summary>
    private sealed class Run(string name, ILockStore store, ProcessClock clock, DateTimeOffset begun)
    {
        private int _asked;

        public LockState State { get; private set; } = LockState.Empty;

        /// <summary>In whole milliseconds, for Redis counts leases in them.</summary>
        public DateTimeOffset Now
        {
            get => field == default ? Now = DateTimeOffset.FromUnixTimeMilliseconds(begun.ToUnixTimeMilliseconds()) : field;
            set => clock.StandsAt = field = value;
        }

        public string Name => name;

        public ILockStore Store => store;

        /// <summary>Now and then in a crowd, with which the request goes in another script.</summary>
        public Task<TReply> AskAsync<TReply>(LockShare? share, Func<ILockStore, Task<TReply>> ask) =>
            ++_asked % 3 == 0 ? Crowd.AskAsync(store, share, () => ask(store)) : ask(store);

        public async Task CompareAsync<TReply>(LockChange<TReply> change, Task<TReply> reply, Func<TReply, TReply> ofBoth)
        {
            State = change.State;
            Assert.Equal(ofBoth(change.Reply), ofBoth(await reply.WaitAsync(TimeSpan.FromSeconds(20), Token)));
        }
    }

    private abstract record Step
    {
        public abstract Task TakeAsync(Run run);
    }

    private sealed record Acquiring(LockOwner Owner, long Entry, TimeSpan Lease, TimeSpan Window, bool Wait, LockShare? Share, Occurrence? Occurrence) : Step
    {
        public override Task TakeAsync(Run run)
        {
            var request = new AcquireRequest
            {
                LockName = run.Name,
                Owner = Owner,
                Entry = Entry,
                LeaseDuration = Lease,
                ClaimWindow = Window,
                Note = Said.Note(Entry),
                Rank = Said.Rank(Entry),
                Wait = Wait,
                Share = Share,
                Occurrence = Occurrence,
            };
            return run.CompareAsync(LockProtocol.Acquire(run.State, request, run.Now), AskAsync(run, request), WithoutPermit);
        }

        private static AcquireReply WithoutPermit(AcquireReply reply) => reply with { Permit = null, Holder = reply.Holder is null ? null : reply.Holder with { Permit = null } };

        /// <summary>Clocks are told apart where there may be several.</summary>
        private static async Task<AcquireReply> AskAsync(Run run, AcquireRequest request) => await run.AskAsync(request.Share, store => store.AcquireAsync(request, Token)) with { StoreClock = 0 };
    }

    private sealed record Releasing(LockOwner Owner, long Entry, TimeSpan Window, LockShare? Share, TimeSpan AtLeast, bool Takes, string? Successor, Occurrence? Occurrence, bool IsFinished) : Step
    {
        public override Task TakeAsync(Run run)
        {
            // A holder knows its lease where it surely lasts.
            var held = run.State.Grants.FirstOrDefault(grant => grant.Owner == Owner && grant.Share == Share && grant.LastsUntil > run.Now && !grant.IsReleased);
            var request = new ReleaseRequest
            {
                LeaseDuration = held?.LastsUntil - held?.RenewedAt,
                LockName = run.Name,
                Owner = Owner,
                Entry = Entry,
                ClaimWindow = Window,
                Share = Share,
                LockAtLeastFor = AtLeast,
                TakesHandover = Takes,
                Successor = Successor,
                Note = Said.Note(Entry),
                Rank = Said.Rank(Entry),
                Occurrence = Occurrence,
                OccurrenceIsFinished = IsFinished,
            };
            return run.CompareAsync(LockProtocol.Release(run.State, request, run.Now), run.AskAsync(Share, store => store.ReleaseAsync(request, Token)), WithoutPermit);
        }

        private static ReleaseReply WithoutPermit(ReleaseReply reply) => reply with { Handover = reply.Handover is null ? null : reply.Handover with { Permit = null } };
    }

    private sealed record Renewing(LockOwner Owner, TimeSpan Lease, int Token, long? ClaimedEntry, long? Entry) : Step
    {
        public override Task TakeAsync(Run run)
        {
            // What the owner holds, mostly under its token.
            var held = run.State.Grants.FirstOrDefault(grant => grant.Owner == Owner);
            var token = Token == 0 && ClaimedEntry is null ? (long?)null : held?.FencingToken ?? run.State.LastToken - (Token == 2 ? 1 : 0);
            var asks = Known(ClaimedEntry ?? Entry);
            var request = new RenewalRequest
            {
                Share = held is not null ? held.Share : ShareOf(run.State.Capacity),
                LockName = run.Name,
                Owner = Owner,
                LeaseDuration = Lease,
                FencingToken = token,
                ClaimedEntry = Known(ClaimedEntry),
                Entry = Known(Entry),
                Note = Said.Note(asks),
                Rank = Said.Rank(asks),
            };
            long? Known(long? entry) => entry == 1 && held is { Entries: [var first, ..] } ? first : entry;
            return run.CompareAsync(LockProtocol.Renew(run.State, request, run.Now), FirstAsync(run.Store.RenewAsync([request], ShareMachineAndRedisTests.Token)), static reply => reply);
        }

        private static LockShare? ShareOf(LockCapacity capacity) => capacity.Kind switch
        {
            LockCapacityKind.Semaphore => LockShare.PermitOf(capacity.Permits),
            LockCapacityKind.ReaderWriter => LockShare.Read,
            _ => null,
        };

        private static async Task<RenewalReply> FirstAsync(Task<IReadOnlyList<RenewalReply>> replies) => (await replies)[0];
    }

    private sealed record Revoking(bool IsCurrent, TimeSpan Window) : Step
    {
        public override Task TakeAsync(Run run)
        {
            var token = IsCurrent && run.State.Grants is [.., { } last] ? last.FencingToken : run.State.LastToken - 1;
            return run.CompareAsync(
                LockProtocol.Revoke(run.State, run.Name, token, Window, run.Now), ((ILockStoreAdministration)run.Store).RevokeAsync(run.Name, token, Window, Token), static reply => reply);
        }
    }

    private sealed record AskingToStepDown(bool IsCurrent) : Step
    {
        public override Task TakeAsync(Run run)
        {
            var token = IsCurrent && run.State.Grants is [.., { } last] ? last.FencingToken : run.State.LastToken - 1;
            var request = new StepDownRequest { StayAway = TimeSpan.FromSeconds(1), Successor = IsCurrent ? "bob" : null };
            return run.CompareAsync(
                LockProtocol.AskToStepDown(run.State, run.Name, token, request, run.Now), ((ILockStoreAdministration)run.Store).AskToStepDownAsync(run.Name, token, request, Token), static reply => reply);
        }
    }

    private sealed record Looking : Step
    {
        public override async Task TakeAsync(Run run)
        {
            var expected = LockProtocol.Inspect(run.State, run.Name, 10, run.Now);
            var actual = await ((ILockStoreAdministration)run.Store).InspectAsync(run.Name, 10, Token);
            Assert.Equal(expected.Holders.Select(WithoutPermit), actual.Holders.Select(WithoutPermit));
            Assert.Equal(expected.WaiterCount, actual.WaiterCount);
            var permits = actual.Holders.Where(holder => holder.Share?.Kind == LockShareKind.Permit).Select(holder => holder.Permit!.Value).ToList();
            Assert.Equal(permits.Distinct(), permits);
            Assert.All(permits, permit => Assert.InRange(permit, 0, actual.Capacity.Permits - 1));

            // Not how long, for arrivals of one moment are told apart by a microsecond.
            Assert.Equal(expected.Waiters.Select(waiter => (waiter.Owner, waiter.IsAlive, waiter.Share, waiter.Note, waiter.Rank)), actual.Waiters.Select(waiter => (waiter.Owner, waiter.IsAlive, waiter.Share, waiter.Note, waiter.Rank)));
        }

        private static LockHolder WithoutPermit(LockHolder holder) => holder with { Permit = null };
    }

    private sealed record Passing(TimeSpan Time) : Step
    {
        public override Task TakeAsync(Run run)
        {
            run.Now += Time;
            return Task.CompletedTask;
        }
    }
}
