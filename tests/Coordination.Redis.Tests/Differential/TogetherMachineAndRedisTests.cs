using System.Globalization;
using Coordination.Redis.Tests.Clocks;
using Coordination.Stores;
using CsCheck;

namespace Coordination.Redis.Tests.Differential;

/// <summary>As <see cref="MachineAndRedisTests"/>, of two locks that are asked for together, and each by itself in between.</summary>
public sealed class TogetherMachineAndRedisTests : ClockTests
{
    private const int StepsOfASequence = 50;

    private static readonly Gen<LockOwner> Owner = Gen.OneOf(Gen.Const(new LockOwner("ada", 1)), Gen.Const(new LockOwner("ada", 2)), Gen.Const(new LockOwner("bob", 1)));

    private static readonly Gen<TimeSpan> Duration = Gen.OneOf(Gen.Const(100), Gen.Const(1000), Gen.Const(5000)).Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds));

    private static readonly Gen<Func<Run, Task>> AnyStep = Gen.Frequency(
        (4, Gen.Select(Owner, Gen.Long[1, 2], Duration, Gen.Int[0, 5], (owner, entry, lease, barging) => (Func<Run, Task>)(run => run.TogetherAsync(owner, entry, lease, barging == 0)))),
        (3, Gen.Select(Gen.Int[0, 1], Owner, Gen.Long[1, 2], Duration, Gen.Bool, (which, owner, entry, lease, wait) => (Func<Run, Task>)(run => run.OneAsync(which, owner, entry, lease, wait)))),
        (5, Gen.Select(Gen.Int[0, 1], Owner, Gen.Long[1, 2], Gen.Int[0, 5], (which, owner, entry, atLeast) => (Func<Run, Task>)(run => run.ReleaseAsync(which, owner, entry, atLeast == 0)))),
        (3, Gen.Int[0, 2000].Select(milliseconds => (Func<Run, Task>)(run =>
        {
            run.Now += TimeSpan.FromMilliseconds(milliseconds);
            return Task.CompletedTask;
        }))));

    private int _sequences;

    private static int Sequences =>
        (int.TryParse(Environment.GetEnvironmentVariable("COORDINATION_DIFFERENTIAL_STEPS"), CultureInfo.InvariantCulture, out var steps) ? steps : 20_000) / StepsOfASequence;

    [Fact]
    [Promise("G1", "G3", "G6")]
    public async Task Two_locks_that_are_asked_for_together_get_equal_replies_from_both() =>
        await AnyStep.Array[1, 2 * StepsOfASequence].SampleAsync(RunAsync, iter: Sequences, threads: 1, print: steps => $"{steps.Length} requests");

    private async Task RunAsync(Func<Run, Task>[] steps)
    {
        var number = Interlocked.Increment(ref _sequences);
        var run = new Run([$"one-{number}", $"two-{number}"], Store, now => Clock!.StandsAt = now);
        foreach (var step in steps)
        {
            await step(run);
        }
    }

    private sealed class Run(string[] names, ILockStore store, Action<DateTimeOffset> setClock)
    {
        private LockState[] State { get; } = [LockState.Empty, LockState.Empty];

        /// <summary>In whole milliseconds, for Redis counts leases in them.</summary>
        public DateTimeOffset Now
        {
            get => field == default ? Now = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()) : field;
            set => setClock(field = value);
        }

        public async Task TogetherAsync(LockOwner owner, long entry, TimeSpan lease, bool barging)
        {
            AcquireRequest[] requests = [.. names.Select(name => Request(name, owner, entry, lease) with { AllowBarging = barging })];
            var changes = LockProtocol.AcquireAll(State, requests, Now);
            var replies = await store.TryAcquireAllAsync(requests, Token);
            Assert.Equal(changes.Select(change => change.Reply), replies);
            (State[0], State[1]) = (changes[0].State, changes[1].State);
        }

        public async Task OneAsync(int which, LockOwner owner, long entry, TimeSpan lease, bool wait)
        {
            var request = Request(names[which], owner, entry, lease) with { Wait = wait };
            var change = LockProtocol.Acquire(State[which], request, Now);
            Assert.Equal(change.Reply, await store.AcquireAsync(request, Token) with { StoreClock = 0 });
            State[which] = change.State;
        }

        public async Task ReleaseAsync(int which, LockOwner owner, long entry, bool atLeast)
        {
            var request = new ReleaseRequest
            {
                LockName = names[which],
                Owner = owner,
                Entry = entry,
                ClaimWindow = TimeSpan.FromSeconds(1),
                LockAtLeastFor = atLeast ? TimeSpan.FromSeconds(2) : TimeSpan.Zero,
            };
            var change = LockProtocol.Release(State[which], request, Now);
            Assert.Equal(change.Reply, await store.ReleaseAsync(request, Token));
            State[which] = change.State;
        }

        private static AcquireRequest Request(string name, LockOwner owner, long entry, TimeSpan lease) =>
            new() { LockName = name, Owner = owner, Entry = entry, LeaseDuration = lease, ClaimWindow = TimeSpan.FromSeconds(1) };
    }
}
