using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.Time;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Waiting;

/// <summary>A standby waits for days: each of its waits ends by its time, and leaves nothing behind.</summary>
[Collection(nameof(Alone))]
public sealed class StandbyTests
{
    private const int Waits = 100_000;
    private const int FewWaits = 2_000;
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F55")]
    public Task A_standby_costs_no_more_memory_and_asks_no_more_often_the_longer_it_waits() => StandByAsync(FewWaits, mayGrow: 250_000);

    [Fact]
    [Needs(Need.LongTier)]
    [Failure("F55")]
    public Task A_standby_of_days_costs_what_one_of_seconds_does() => StandByAsync(Waits, mayGrow: 1_000_000);

    private static async Task StandByAsync(int waits, long mayGrow)
    {
        var clock = new TestClock();
        var store = new HeldStore();
        var services = new ServiceCollection().AddSingleton<TimeProvider>(clock);
        services.AddLogging().AddCoordination();
        await using var node = services.AddSingleton<ILockStore>(store).BuildServiceProvider();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var waiting = node.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(ending.Token);

        Wait(clock, store, FewWaits / 2);
        var (before, asksBefore) = (GC.GetTotalMemory(forceFullCollection: true), store.Asks);
        Wait(clock, store, waits);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(store.Asks - asksBefore, waits, waits + (waits / 100));
        Assert.True(grown < mayGrow, $"After {waits} waits the heap has grown by {grown} bytes.");

        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    [Failure("F55")]
    public async Task Waits_that_end_by_their_time_leave_nothing_with_the_token()
    {
        var clock = new TestClock();
        var signal = new Signal(clock);
        using var ending = new CancellationTokenSource();
        await WaitAsync(1_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await WaitAsync(Waits);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 5_000_000, $"After {Waits} waits the heap has grown by {grown} bytes.");

        async Task WaitAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var waiting = signal.WaitAsync(TimeSpan.FromSeconds(1), ending.Token);
                clock.Advance(TimeSpan.FromSeconds(1));
                await waiting;
            }
        }
    }

    [Theory]
    [Failure("F55")]
    [InlineData(1, 1)]
    [InlineData(10_001, 2)]
    [InlineData(20_000, 2)]
    public void A_timer_is_not_set_to_come_a_fraction_of_a_millisecond_too_early(long ticks, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), new TimeSpan(ticks).ToTimer());

    [Fact]
    [Failure("F45")]
    public async Task A_time_to_live_longer_than_any_timer_takes_fails_no_wait()
    {
        var clock = new TestClock();
        var store = new HeldStore { TimeToLive = TimeSpan.MaxValue };
        var services = new ServiceCollection().AddSingleton<TimeProvider>(clock);
        services.AddLogging().AddCoordination();
        await using var node = services.AddSingleton<ILockStore>(store).BuildServiceProvider();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var waiting = node.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(ending.Token);

        // It asks again all the same: an operator who deletes the key tells nobody.
        Wait(clock, store, 3, TimeSpan.FromMinutes(1) + TimeSpan.FromSeconds(1));
        Assert.False(waiting.IsCompleted);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private static void Wait(TestClock clock, HeldStore store, int count, TimeSpan? each = null)
    {
        for (var i = 0; i < count; i++)
        {
            // Not before it sleeps, or it would begin to wait after its time had come.
            var asks = store.Asks;
            Assert.True(SpinWait.SpinUntil(() => clock.Asleep > 0, Bound));
            clock.Advance(each ?? TimeToLive + TimeSpan.FromMilliseconds(10));
            Assert.True(SpinWait.SpinUntil(() => store.Asks > asks, Bound));
        }
    }

    /// <summary>Each lock is held by somebody else, for ever.</summary>
    private sealed class HeldStore : ILockStore
    {
        private int _asks;

        public string Name => "held";

        public int Asks => Volatile.Read(ref _asks);

        public TimeSpan TimeToLive { get; init; } = StandbyTests.TimeToLive;

        public int PartitionOf(string lockName) => 0;

        public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asks);
            return Task.FromResult(AcquireReply.Refused(new LockHolder { Owner = new LockOwner("other", 1), FencingToken = 1, Since = DateTimeOffset.UnixEpoch, TimeToLive = TimeToLive }, 0));
        }

        public Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) => Task.FromResult(ReleaseReply.NotHeld);

        public Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
            Task.FromResult<IAsyncDisposable>(new Subscription());

        private sealed class Subscription : IAsyncDisposable
        {
            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
