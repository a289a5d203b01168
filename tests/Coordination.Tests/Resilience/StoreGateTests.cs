using Coordination.Resilience;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Waiting;
using Coordination.Time;

namespace Coordination.Tests.Resilience;

[Failure("F40")]
public sealed class StoreGateTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly TestClock _clock = new();
    private readonly StoreGate _gate;

    public StoreGateTests() => _gate = new StoreGate(_clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gate.Dispose();

    [Fact]
    public async Task An_open_gate_lets_every_call_pass()
    {
        Assert.True(_gate.IsOpen);
        await PassesAsync(Enter(StoreCall.Acquisition));
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
    public async Task Neither_a_renewal_nor_a_release_waits_because_an_acquisition_had_the_turn()
    {
        Fail();
        var acquisition = Enter(StoreCall.Acquisition);
        await PassesAsync(Enter(StoreCall.Release));
        await PassesAsync(Enter(StoreCall.Renewal));

        // But not one after another, as long as nothing is heard.
        Assert.False(Enter(StoreCall.Release).IsCompleted);
        Assert.False(Enter(StoreCall.Renewal).IsCompleted);
        Assert.False(acquisition.IsCompleted);
    }

    [Fact]
    public async Task What_is_released_one_by_one_does_not_wait_while_the_store_replies()
    {
        Fail();
        var acquisition = Enter(StoreCall.Acquisition);
        for (var i = 0; i < 10; i++)
        {
            await PassesAsync(Enter(StoreCall.Release));
            _gate.Replied(0, StoreCall.Release, _clock.Uptime);
        }

        Assert.False(acquisition.IsCompleted);
    }

    [Fact]
    public async Task Renewals_pass_before_releases_and_those_before_acquisitions()
    {
        Fail();
        await SendUrgentAsync();
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
        await PassesAsync(Enter(StoreCall.Renewal));
        _gate.Replied(0, StoreCall.Renewal, _clock.Uptime);
        await PassesAsync(acquisition);
    }

    [Fact]
    [Failure("F58")]
    public async Task A_store_that_renews_and_grants_nothing_is_asked_for_a_grant_at_each_turn()
    {
        Fail();
        var acquisitions = Enumerable.Range(0, 10).Select(_ => Enter(StoreCall.Acquisition)).ToList();
        for (var i = 0; i < 5; i++)
        {
            for (var renewals = 0; renewals < 100; renewals++)
            {
                await PassesAsync(Enter(StoreCall.Renewal));
                _gate.Replied(0, StoreCall.Renewal, _clock.Uptime);
            }

            Assert.All(acquisitions[i..], acquisition => Assert.False(acquisition.IsCompleted));
            _clock.Advance(StoreGate.Pace);
            await PassesAsync(acquisitions[i]);
            Fail();
            _gate.Replied(0, StoreCall.Renewal, _clock.Uptime);
        }

        _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
        await Task.WhenAll(acquisitions.Select(PassesAsync));
    }

    [Theory]
    [Promise("G2")]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(15_000)]
    public async Task A_lease_however_short_has_time_for_some_tries(int leaseMilliseconds)
    {
        var timings = LeaseTimings.Of(new CoordinationOptions { LeaseDuration = TimeSpan.FromMilliseconds(leaseMilliseconds) });
        var left = timings.Duration - timings.SafetyMargin - timings.RenewalInterval;
        Fail();
        await SendUrgentAsync();
        var tries = 0;
        for (var end = _clock.Uptime + left; ;)
        {
            var renewal = Enter(StoreCall.Renewal, callLimit: timings.CallLimit);
            if (!renewal.IsCompleted)
            {
                var due = _gate.LetPass();
                if (due > end)
                {
                    break;
                }

                _clock.Advance(due - _clock.Uptime);
                _gate.LetPass();
                await PassesAsync(renewal);
            }

            tries++;
            Fail();
        }

        Assert.InRange(tries, 5, 1 + (int)(left / TimeSpan.FromMilliseconds(Math.Min(200, timings.CallLimit.TotalMilliseconds / 2))));
    }

    [Fact]
    public async Task A_short_lease_hurries_its_own_renewals_and_nothing_else()
    {
        var waiting = FailAll(shards: 3);
        await SendUrgentAsync();
        var time = TimeSpan.FromSeconds(4);
        var pace = TimeSpan.FromMilliseconds(20);
        waiting.AddRange(Enumerable.Range(0, 100).Select(i => Enter(StoreCall.Acquisition, shard: i % 3)));
        for (var end = _clock.Uptime + time; _clock.Uptime < end;)
        {
            var renewal = Enter(StoreCall.Renewal, shard: 2, callLimit: 2 * pace);
            while (_gate.LetPass() is var due && due != TimeSpan.MaxValue)
            {
                // Whoever has the turn, it is the renewal's soon.
                Assert.True(due <= _clock.Uptime + pace);
                _clock.Advance(due - _clock.Uptime);
            }

            await PassesAsync(renewal);
            _gate.Failed(2, StoreCall.Renewal, _clock.Uptime, PartlyAwayStore.Away);
        }

        // Each that was let through goes on by the pool.
        await Eventually.IsTrueAsync(() => waiting.Count(call => call.IsCompleted) >= 3, Bound);
        Assert.InRange(waiting.Count(call => call.IsCompleted), 3, 1 + (int)(time / StoreGate.Pace));
    }

    [Fact]
    public async Task A_call_waits_for_as_long_as_it_may_and_ends_with_the_last_failure()
    {
        Fail();
        var patient = Enter(StoreCall.Acquisition);
        var limited = Enter(StoreCall.Acquisition, limit: StoreGate.Pace / 2);
        var atOnce = Enter(StoreCall.Acquisition, limit: TimeSpan.Zero);
        Assert.NotNull(await atOnce.WaitAsync(Bound, Token));
        Fail();
        var last = new LockStoreException("The last.", isTransient: true);
        _gate.Failed(0, StoreCall.Acquisition, _clock.Uptime, last);
        _clock.Advance((StoreGate.Pace / 2) - TimeSpan.FromMilliseconds(1));
        Assert.False(limited.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Same(last, await limited.WaitAsync(Bound, Token));
        Assert.False(patient.IsCompleted);
        _clock.Advance(StoreGate.Pace / 2);
        await PassesAsync(patient);
    }

    [Fact]
    public async Task A_call_that_hangs_does_not_keep_the_next_from_passing()
    {
        Fail();
        _clock.Advance(StoreGate.Pace);
        await PassesAsync(Enter(StoreCall.Acquisition));
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
        var cancelled = Enter(StoreCall.Acquisition, cancellationToken: cancellation.Token);
        var next = Enter(StoreCall.Acquisition);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Token));
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
            gate.Failed(0, StoreCall.Acquisition, _clock.Uptime, PartlyAwayStore.Away);
            using var cancellation = new CancellationTokenSource();
            var cancelled = gate.EnterAsync(0, Plan(StoreCall.Acquisition), Timeout.InfiniteTimeSpan, cancellation.Token).AsTask();
            var next = gate.EnterAsync(0, Plan(StoreCall.Acquisition), Timeout.InfiniteTimeSpan, Token).AsTask();
            _ = cancellation.CancelAsync();
            _clock.Advance(StoreGate.Pace);
            if (await Record.ExceptionAsync(() => cancelled.WaitAsync(Bound, Token)) is null)
            {
                gate.PassOn();
            }

            await PassesAsync(next);
        }
    }

    [Fact]
    public async Task Waits_that_ended_leave_nothing_behind()
    {
        Fail();
        await SendUrgentAsync();
        using var cancellation = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 1_000)
            .Select(i => Enter((StoreCall)(i % 3), limit: i % 2 == 0 ? TimeSpan.FromMilliseconds(100) : Timeout.InfiniteTimeSpan, cancellationToken: cancellation.Token)).ToList();
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        await cancellation.CancelAsync();
        foreach (var wait in waiting)
        {
            Assert.True(await Record.ExceptionAsync(async () => Assert.NotNull(await wait.WaitAsync(Bound, Token))) is null or OperationCanceledException);
        }

        _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
        Assert.True(_gate.IsOpen);
        Assert.Equal(0, _clock.Asleep);
    }

    [Fact]
    public async Task What_had_nothing_to_ask_passes_its_turn_on()
    {
        Fail();
        await SendUrgentAsync();
        var renewal = Enter(StoreCall.Renewal);
        var acquisition = Enter(StoreCall.Acquisition);
        _clock.Advance(StoreGate.Pace);
        await PassesAsync(renewal);
        Assert.False(acquisition.IsCompleted);
        _gate.PassOn();
        await PassesAsync(acquisition);
    }

    [Fact]
    public async Task A_shard_that_is_away_holds_up_no_other()
    {
        Fail();
        await PassesAsync(Enter(StoreCall.Acquisition, shard: 1));
        Assert.False(Enter(StoreCall.Acquisition).IsCompleted);
    }

    [Fact]
    public async Task Many_shards_that_are_away_make_no_more_calls_than_one_and_take_turns()
    {
        const int Shards = 20;
        var waiting = FailAll(Shards);
        for (var i = 0; i < 2 * Shards; i++)
        {
            _clock.Advance(StoreGate.Pace);
            await PassesAsync(waiting[i % Shards]);
            Assert.Equal(1, waiting.Count(call => call.IsCompleted));
            waiting[i % Shards] = Enter(StoreCall.Acquisition, shard: i % Shards);
        }
    }

    [Fact]
    public async Task Shards_that_are_back_go_on_one_after_another_without_a_pause()
    {
        const int Shards = 20;
        var waiting = FailAll(Shards);
        _clock.Advance(StoreGate.Pace);
        for (var i = 0; i < Shards; i++)
        {
            await PassesAsync(waiting[i]);
            _gate.Replied(i, StoreCall.Acquisition, _clock.Uptime);
        }

        Assert.True(_gate.IsOpen);
    }

    [Fact]
    public async Task A_shard_that_comes_and_goes_gives_the_others_no_more_turns()
    {
        Fail(shard: 1);
        var waiting = Enumerable.Range(0, 10).Select(_ => Enter(StoreCall.Acquisition, shard: 1)).ToList();
        for (var i = 0; i < 100; i++)
        {
            Fail(shard: 0);
            _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
        }

        Assert.All(waiting, call => Assert.False(call.IsCompleted));
        _clock.Advance(StoreGate.Pace);
        await PassesAsync(waiting[0]);
    }

    private static async Task PassesAsync(Task<LockStoreException?> entering) => Assert.Null(await entering.WaitAsync(Bound, Token));

    private static CallPlan Plan(StoreCall call) => new(call, "work", Limit: TimeSpan.FromSeconds(2));

    private void Fail(int shard = 0) => _gate.Failed(shard, StoreCall.Acquisition, _clock.Uptime, PartlyAwayStore.Away);

    private List<Task<LockStoreException?>> FailAll(int shards)
    {
        foreach (var shard in Enumerable.Range(0, shards))
        {
            Fail(shard);
        }

        return [.. Enumerable.Range(0, shards).Select(shard => Enter(StoreCall.Acquisition, shard: shard))];
    }

    /// <summary>The renewal and the release that may go ahead.</summary>
    private async Task SendUrgentAsync()
    {
        await PassesAsync(Enter(StoreCall.Renewal));
        await PassesAsync(Enter(StoreCall.Release));
    }

    private Task<LockStoreException?> Enter(
        StoreCall call, int shard = 0, TimeSpan? limit = null, TimeSpan? callLimit = null, CancellationToken? cancellationToken = null)
    {
        var plan = Plan(call);
        return _gate.EnterAsync(shard, callLimit is { } time ? plan with { Limit = time } : plan, limit ?? Timeout.InfiniteTimeSpan, cancellationToken ?? Token).AsTask();
    }
}
