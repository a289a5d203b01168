using Coordination.Resilience;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.Time;

namespace Coordination.Tests.Resilience;

[Failure("F40")]
public sealed class StoreGateTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly TestClock _clock = new();
    private readonly StoreGate _gate;

    public StoreGateTests() => _gate = new StoreGate(_clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gate.Dispose();

    [Fact]
    public async Task An_open_gate_lets_every_call_pass()
    {
        Assert.True(_gate.IsOpen);
        Assert.Null(await Enter(StoreCall.Acquisition));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_000)]
    public async Task A_closed_gate_lets_one_call_pass_every_quarter_of_a_second_however_many_wait(int count)
    {
        Fail();
        var waiting = Enumerable.Range(0, count).Select(_ => Enter(StoreCall.Acquisition)).ToList();
        for (var i = 0; i < Math.Min(count, 40); i++)
        {
            _clock.Advance(StoreGate.Pace - TimeSpan.FromMilliseconds(1));
            Assert.DoesNotContain(waiting, call => call.IsCompleted);
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            await PassesAsync(await Task.WhenAny(waiting).WaitAsync(Bound, Token));
            Assert.Equal(1, waiting.RemoveAll(call => call.IsCompleted));
            Fail();
        }
    }

    [Fact]
    public async Task Renewals_pass_before_releases_and_those_before_acquisitions()
    {
        Fail();
        var acquisition = Enter(StoreCall.Acquisition);
        var release = Enter(StoreCall.Release);
        var renewal = Enter(StoreCall.Renewal);
        foreach (var next in (Task<LockStoreException?>[])[renewal, release, acquisition])
        {
            Assert.False(next.IsCompleted);
            _clock.Advance(StoreGate.Pace);
            await PassesAsync(next);
            Fail();
        }
    }

    [Fact]
    public async Task An_acquisition_that_succeeds_opens_the_gate_for_all()
    {
        Fail();
        var waiting = Enumerable.Range(0, 100).Select(i => Enter(i % 2 == 0 ? StoreCall.Acquisition : StoreCall.Release)).ToList();
        _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
        await Task.WhenAll(waiting.Select(PassesAsync));
        Assert.True(_gate.IsOpen);
    }

    [Fact]
    public async Task Leases_that_stand_are_renewed_before_anything_else_goes_on()
    {
        Fail();
        var acquisition = Enter(StoreCall.Acquisition);
        var renewals = Enumerable.Range(0, 3).Select(_ => Enter(StoreCall.Renewal)).ToList();
        _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
        await Task.WhenAll(renewals.Select(PassesAsync));
        Assert.False(acquisition.IsCompleted);

        // More of them do not wait at all, and what waits behind them goes on when one has its reply.
        Assert.Null(await Enter(StoreCall.Renewal));
        _gate.Replied(0, StoreCall.Renewal, _clock.Uptime);
        await PassesAsync(acquisition);
    }

    [Fact]
    public async Task A_store_that_renews_and_grants_nothing_is_asked_for_one_grant_after_each_renewal()
    {
        Fail();
        var acquisitions = Enumerable.Range(0, 10).Select(_ => Enter(StoreCall.Acquisition)).ToList();
        _gate.Replied(0, StoreCall.Renewal, _clock.Uptime);
        await PassesAsync(acquisitions[0]);
        Assert.All(acquisitions[1..], acquisition => Assert.False(acquisition.IsCompleted));
        _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
        await Task.WhenAll(acquisitions.Select(PassesAsync));
    }

    [Fact]
    public async Task A_call_that_is_not_patient_ends_with_the_next_failure_and_a_patient_one_stays()
    {
        Fail();
        var patient = Enter(StoreCall.Acquisition);
        var impatient = Enter(StoreCall.Acquisition, isPatient: false);
        Fail();
        Assert.NotNull(await impatient.WaitAsync(Bound, Token));
        Assert.False(patient.IsCompleted);
        _clock.Advance(StoreGate.Pace);
        await PassesAsync(patient);
    }

    [Fact]
    public async Task A_call_that_hangs_does_not_keep_the_next_from_passing()
    {
        Fail();
        _clock.Advance(StoreGate.Pace);
        Assert.Null(await Enter(StoreCall.Acquisition));
        var next = Enter(StoreCall.Acquisition);
        _clock.Advance(StoreGate.Pace - TimeSpan.FromMilliseconds(1));
        Assert.False(next.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await PassesAsync(next);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_cancelled_call_leaves_its_place()
    {
        Fail();
        using var cancellation = new CancellationTokenSource();
        var cancelled = Enter(StoreCall.Renewal, cancellationToken: cancellation.Token);
        var next = Enter(StoreCall.Acquisition);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _clock.Advance(StoreGate.Pace);
        await PassesAsync(next);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_call_that_is_cancelled_in_the_moment_in_which_it_may_pass_loses_no_turn()
    {
        for (var i = 0; i < 200; i++)
        {
            using var gate = new StoreGate(_clock);
            gate.Failed(0, _clock.Uptime, PartlyAwayStore.Away);
            using var cancellation = new CancellationTokenSource();
            var cancelled = gate.EnterAsync(0, StoreCall.Renewal, true, Timeout.InfiniteTimeSpan, false, cancellation.Token).AsTask();
            var next = gate.EnterAsync(0, StoreCall.Acquisition, true, Timeout.InfiniteTimeSpan, false, Token).AsTask();
            _ = cancellation.CancelAsync();
            _clock.Advance(StoreGate.Pace);
            if (await Record.ExceptionAsync(() => cancelled.WaitAsync(Bound, Token)) is null)
            {
                gate.PassOn(0);
            }

            await PassesAsync(next);
        }
    }

    [Fact]
    public async Task Waits_that_ended_leave_nothing_behind()
    {
        Fail();
        using var cancellation = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 1_000)
            .Select(i => Enter((StoreCall)(i % 3), limit: i % 2 == 0 ? TimeSpan.FromMilliseconds(100) : Timeout.InfiniteTimeSpan, cancellationToken: cancellation.Token)).ToList();
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        await cancellation.CancelAsync();
        foreach (var wait in waiting)
        {
            var end = await Record.ExceptionAsync(() => wait.WaitAsync(Bound, Token));
            Assert.True(end is TimeoutException or OperationCanceledException, $"{end}");
        }

        _gate.Replied(0, StoreCall.Renewal, _clock.Uptime);
        Assert.True(_gate.IsOpen);
        Assert.Equal(0, _clock.Asleep);
    }

    [Fact]
    public async Task What_had_nothing_to_ask_passes_its_turn_on()
    {
        Fail();
        var renewal = Enter(StoreCall.Renewal);
        var acquisition = Enter(StoreCall.Acquisition);
        _clock.Advance(StoreGate.Pace);
        await PassesAsync(renewal);
        Assert.False(acquisition.IsCompleted);
        _gate.PassOn(0);
        await PassesAsync(acquisition);
    }

    [Fact]
    public async Task A_partition_that_is_away_holds_up_no_other()
    {
        Fail();
        Assert.Null(await Enter(StoreCall.Acquisition, partition: 1));
        Assert.False(Enter(StoreCall.Acquisition).IsCompleted);
    }

    [Fact]
    public async Task Many_partitions_that_are_away_make_no_more_calls_than_one_and_the_first_that_is_back_wakes_the_others()
    {
        const int Partitions = 20;
        foreach (var partition in Enumerable.Range(0, Partitions))
        {
            Fail(partition);
        }

        var waiting = Enumerable.Range(0, Partitions).Select(partition => Enter(StoreCall.Acquisition, partition: partition)).ToList();
        _clock.Advance(10 * StoreGate.Pace);
        Assert.True(SpinWait.SpinUntil(() => waiting.Count(call => call.IsCompleted) >= 10, Bound));
        Assert.Equal(10, waiting.Count(call => call.IsCompleted));
        _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
        _clock.Advance(StoreGate.Pace);
        await Task.WhenAll(waiting.Select(PassesAsync));
    }

    /// <summary>The timers of the system fire on the pool, and so not at all while each of its threads is blocked. The watchdog lets its renewals pass by itself.</summary>
    [Fact]
    [Failure("F17")]
    public void A_renewal_passes_by_the_watchdogs_thread_where_no_timer_fires()
    {
        using var gate = new StoreGate(new ClockWithoutTimers());
        var fault = default(Exception);
        var renewal = default(Task<int>);
        gate.Failed(0, TimeProvider.System.Uptime, PartlyAwayStore.Away);
        using var thread = new DedicatedThread("renewals", TimeProvider.System, Look, error => fault = error);
        thread.WakeAt(TimeSpan.Zero);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref renewal) is { IsCompleted: true }, TimeSpan.FromSeconds(10)), "The renewal did not pass.");
        Assert.Null(fault);

        TimeSpan Look()
        {
            renewal ??= RenewAsync();
            return gate.LetPass();
        }

        async Task<int> RenewAsync()
        {
            Assert.Null(await gate.EnterAsync(0, StoreCall.Renewal, isPatient: true, Timeout.InfiniteTimeSpan, continueOnCapturedContext: true, CancellationToken.None).ConfigureAwait(true));
            Assert.IsType<DedicatedThread>(SynchronizationContext.Current);
            return 1;
        }
    }

    private static async Task PassesAsync(Task<LockStoreException?> entering) => Assert.Null(await entering.WaitAsync(Bound, Token));

    private void Fail(int partition = 0) => _gate.Failed(partition, _clock.Uptime, PartlyAwayStore.Away);

    private Task<LockStoreException?> Enter(StoreCall call, bool isPatient = true, int partition = 0, TimeSpan? limit = null, CancellationToken? cancellationToken = null) =>
        _gate.EnterAsync(partition, call, isPatient, limit ?? Timeout.InfiniteTimeSpan, continueOnCapturedContext: false, cancellationToken ?? Token).AsTask();

    /// <summary>The system's clock, whose timers wait for a pool that is blocked.</summary>
    private sealed class ClockWithoutTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new NeverTimer();

        private sealed class NeverTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
