using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Time;

namespace Coordination.Tests.Resilience;

/// <summary>The gate where the pool is blocked.</summary>
[Failure("F40")]
public sealed class GateWithoutTimersTests
{
    /// <summary>The timers of the system fire on the pool, and so not at all while each of its threads is blocked. The watchdog lets its renewals pass by itself.</summary>
    [Fact]
    [Failure("F17")]
    public void A_renewal_passes_by_the_watchdogs_thread_where_no_timer_fires()
    {
        var renew = new CallPlan(StoreCall.Renewal, "work", Limit: TimeSpan.FromSeconds(2));
        using var gate = new StoreGate(new ClockWithoutTimers());
        var fault = default(Exception);
        var renewal = default(Task<int>);
        gate.Failed(0, StoreCall.Acquisition, TimeProvider.System.Uptime, PartlyAwayStore.Away);
        Assert.True(gate.EnterAsync(0, renew, Timeout.InfiniteTimeSpan, CancellationToken.None).AsTask().IsCompleted, "One goes ahead.");
        using var thread = new DedicatedThread("renewals", TimeProvider.System, Look, error => fault = error);
        thread.WakeAt(TimeSpan.Zero);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref renewal) is { IsCompleted: true }, TimeSpan.FromMinutes(1)), "The renewal did not pass.");
        Assert.Null(fault);

        TimeSpan Look()
        {
            renewal ??= RenewAsync();
            return gate.LetPass();
        }

        async Task<int> RenewAsync()
        {
            Assert.Null(await gate.EnterAsync(0, renew with { ContinueOnCapturedContext = true }, Timeout.InfiniteTimeSpan, CancellationToken.None).ConfigureAwait(true));
            Assert.IsType<DedicatedThread>(SynchronizationContext.Current);
            return 1;
        }
    }

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
