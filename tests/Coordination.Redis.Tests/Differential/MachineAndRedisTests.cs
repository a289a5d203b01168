using System.Globalization;
using Coordination.Redis.Tests.Clocks;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using CsCheck;
using Xunit.Sdk;

namespace Coordination.Redis.Tests.Differential;

/// <summary>The machine that says what a store promises, and Redis: the same requests at the same moments get equal replies from both.</summary>
/// <remarks>
/// The server's clock stands still and is moved by the test, so that what runs out does so in the same request. <c>COORDINATION_DIFFERENTIAL_STEPS</c> sets how many
/// requests there are.
/// </remarks>
public sealed class MachineAndRedisTests : ClockTests
{
    private const int StepsOfASequence = 100;

    private static readonly Gen<LockOwner> Owner = Gen.OneOf(Gen.Const(new LockOwner("ada", 1)), Gen.Const(new LockOwner("ada", 2)), Gen.Const(new LockOwner("bob", 1)), Gen.Const(new LockOwner("cy", 1)));

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

    private static readonly Gen<Step> AnyStep = Gen.Frequency(
        (6, Gen.Select(Owner, Gen.Long[1, 3], Duration, Duration, Gen.Bool, Gen.Int[0, 5], Occurrence, (owner, entry, lease, window, wait, barging, occurrence) =>
            (Step)new Acquiring(owner, entry, lease, window, wait, barging == 0, occurrence))),
        (6, Gen.Select(Owner, Gen.Long[1, 3], Duration, Gen.Int[0, 5], Gen.Int[0, 5], Gen.Bool, Successor, Occurrence, Gen.Bool, (owner, entry, window, barging, atLeast, takes, successor, occurrence, finished) =>
            (Step)new Releasing(owner, entry, window, barging == 0, atLeast == 0 ? TimeSpan.FromSeconds(2) : TimeSpan.Zero, takes, successor, occurrence, finished))),
        (4, Gen.Select(Owner, Duration, Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 2], (owner, lease, token, claimed, entry) =>
            (Step)new Renewing(owner, lease, token, claimed == 0 ? null : claimed, entry == 0 ? null : entry))),
        (1, Gen.Select(Gen.Bool, Duration, (isCurrent, window) => (Step)new Revoking(isCurrent, window))),
        (1, Gen.Bool.Select(isCurrent => (Step)new AskingToStepDown(isCurrent))),
        (1, Gen.Const((Step)new Looking())),
        (6, Gen.Frequency((12, Gen.Int[0, 2000]), (1, Gen.Int[60_000, 70_000]), (1, Gen.Int[-3000, 0])).Select(milliseconds => (Step)new Passing(TimeSpan.FromMilliseconds(milliseconds)))));

    private int _sequences;

    private static int Sequences =>
        (int.TryParse(Environment.GetEnvironmentVariable("COORDINATION_DIFFERENTIAL_STEPS"), CultureInfo.InvariantCulture, out var steps) ? steps : 100_000) / StepsOfASequence;

    [Fact]
    [Promise("G1")]
    [Promise("G3")]
    [Promise("G6")]
    public async Task The_same_requests_at_the_same_moments_get_equal_replies_from_both() =>
        await AnyStep.Array[1, 2 * StepsOfASequence].SampleAsync(RunAsync, iter: Sequences, threads: 1, print: steps => $"{steps.Length} requests");

    private async Task RunAsync(Step[] steps)
    {
        var run = new Run($"lock-{Interlocked.Increment(ref _sequences)}", Store, Clock!, DateTimeOffset.UtcNow);
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

        public bool HasRevoked { get; set; }

        public string Name => name;

        public ILockStore Store => store;

        /// <summary>Now and then in a crowd, with which the request goes in another script.</summary>
        public Task<TReply> AskAsync<TReply>(LockShare? share, Func<ILockStore, Task<TReply>> ask) =>
            ++_asked % 3 == 0 ? Crowd.AskAsync(store, share, () => ask(store)) : ask(store);

        public async Task CompareAsync<TReply>(LockChange<TReply> change, Task<TReply> reply)
        {
            State = change.State;
            Assert.Equal(change.Reply, await reply.WaitAsync(TimeSpan.FromMinutes(1), Token));
        }
    }

    private abstract record Step
    {
        public abstract Task TakeAsync(Run run);
    }

    private sealed record Acquiring(LockOwner Owner, long Entry, TimeSpan Lease, TimeSpan Window, bool Wait, bool Barging, Occurrence? Occurrence) : Step
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
                AllowBarging = Barging,
                Occurrence = Occurrence,
            };
            return run.CompareAsync(LockProtocol.Acquire(run.State, request, run.Now), AskAsync(run, request));
        }

        /// <summary>Clocks are told apart where there may be several.</summary>
        private static async Task<AcquireReply> AskAsync(Run run, AcquireRequest request) => await run.AskAsync(share: null, store => store.AcquireAsync(request, Token)) with { StoreClock = 0 };
    }

    private sealed record Releasing(LockOwner Owner, long Entry, TimeSpan Window, bool Barging, TimeSpan AtLeast, bool Takes, string? Successor, Occurrence? Occurrence, bool IsFinished) : Step
    {
        public override Task TakeAsync(Run run)
        {
            // A holder knows its lease where it surely lasts.
            var held = LockProtocol.Describe(run.State, run.Now) is { IsReleased: false } holder && holder.Owner == Owner ? run.State.Grants[0] : null;
            var request = new ReleaseRequest
            {
                LockName = run.Name,
                Owner = Owner,
                Entry = Entry,
                ClaimWindow = Window,
                AllowBarging = Barging,
                LockAtLeastFor = AtLeast,
                TakesHandover = Takes,
                Successor = Successor,
                Note = Said.Note(Entry),
                Rank = Said.Rank(Entry),
                LeaseDuration = held?.LastsUntil - held?.RenewedAt,
                Occurrence = Occurrence,
                OccurrenceIsFinished = IsFinished,
            };
            return run.CompareAsync(LockProtocol.Release(run.State, request, run.Now), run.AskAsync(share: null, store => store.ReleaseAsync(request, Token)));
        }
    }

    private sealed record Renewing(LockOwner Owner, TimeSpan Lease, int Token, long? ClaimedEntry, long? Entry) : Step
    {
        public override Task TakeAsync(Run run)
        {
            var token = Token == 0 && ClaimedEntry is null ? null : (long?)(run.State.LastToken - (Token == 2 ? 1 : 0));
            var request = new RenewalRequest { LockName = run.Name, Owner = Owner, LeaseDuration = Lease, FencingToken = token, ClaimedEntry = ClaimedEntry, Entry = Entry, Note = Said.Note(ClaimedEntry ?? Entry), Rank = Said.Rank(ClaimedEntry ?? Entry) };
            return run.CompareAsync(LockProtocol.Renew(run.State, request, run.Now), FirstAsync(run.Store.RenewAsync([request], MachineAndRedisTests.Token)));
        }

        private static async Task<RenewalReply> FirstAsync(Task<IReadOnlyList<RenewalReply>> replies) => (await replies)[0];
    }

    private sealed record Revoking(bool IsCurrent, TimeSpan Window) : Step
    {
        public override Task TakeAsync(Run run)
        {
            var token = run.State.LastToken - (IsCurrent ? 0 : 1);
            run.HasRevoked = true;
            return run.CompareAsync(LockProtocol.Revoke(run.State, run.Name, token, Window, run.Now), ((ILockStoreAdministration)run.Store).RevokeAsync(run.Name, token, Window, Token));
        }
    }

    private sealed record AskingToStepDown(bool IsCurrent) : Step
    {
        public override Task TakeAsync(Run run)
        {
            var token = IsCurrent && run.State.Grants is [.., { } last] ? last.FencingToken : run.State.LastToken - 1;
            var request = new StepDownRequest { StayAway = TimeSpan.FromSeconds(1), Successor = IsCurrent ? "bob" : null };
            return run.CompareAsync(
                LockProtocol.AskToStepDown(run.State, run.Name, token, request, run.Now), ((ILockStoreAdministration)run.Store).AskToStepDownAsync(run.Name, token, request, Token));
        }
    }

    private sealed record Looking : Step
    {
        public override async Task TakeAsync(Run run)
        {
            var expected = LockProtocol.Inspect(run.State, run.Name, 10, run.Now);
            var actual = await ((ILockStoreAdministration)run.Store).InspectAsync(run.Name, 10, Token);
            Assert.Equal((expected.Holder, expected.WaiterCount), (actual.Holder, actual.WaiterCount));

            // Not how long, for arrivals of one moment are told apart by a microsecond.
            Assert.Equal(expected.Waiters.Select(waiter => (waiter.Owner, waiter.IsAlive, waiter.Note, waiter.Rank)), actual.Waiters.Select(waiter => (waiter.Owner, waiter.IsAlive, waiter.Note, waiter.Rank)));
        }
    }

    private sealed record Passing(TimeSpan Time) : Step
    {
        /// <summary>
        /// What ran out is forgotten by the machine in the next request, and by Redis when it writes the lock next; and so with what begins later than now, because the
        /// clock was set back. So somebody asks before that and after it. What was revoked would be shown once more all the same.
        /// </summary>
        public override async Task TakeAsync(Run run)
        {
            if (Time >= TimeSpan.Zero)
            {
                run.Now += Time;
            }
            else if (!run.HasRevoked)
            {
                await PassByAsync(run);
                run.Now += Time;
                await PassByAsync(run);
            }
        }

        private static async Task PassByAsync(Run run)
        {
            var passerBy = new LockOwner("passer-by", 1);
            await new Acquiring(passerBy, 1, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), Wait: false, Barging: false, Occurrence: null).TakeAsync(run);
            await new Releasing(passerBy, 1, TimeSpan.FromSeconds(1), Barging: false, TimeSpan.Zero, Takes: false, Successor: null, Occurrence: null, IsFinished: true).TakeAsync(run);
        }
    }
}
