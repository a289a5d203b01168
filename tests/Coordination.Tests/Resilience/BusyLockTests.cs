using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Telemetry;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;
using Coordination.Time;
using Microsoft.Extensions.DependencyInjection;
using Polly;

namespace Coordination.Tests.Resilience;

/// <summary>One lock that the store cannot work on, and others on which it can.</summary>
public sealed class BusyLockTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G12")]
    public async Task A_lock_that_is_busy_is_asked_for_again_and_no_other_waits_for_it()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock)) { KnowsShards = false };
        await using var node = new TestNode(clock, actualStore: store);
        store.Fault = name => name == "busy" ? Busy : null;
        var waiting = node.AcquireAsync("busy");
        for (var i = 0; i < 60; i++)
        {
            node.Advance(TimeSpan.FromSeconds(1.5));
            var other = await node.Provider.GetLock("other").TryAcquireAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
            Assert.Equal(ReleaseResult.Released, await other!.ReleaseAsync(Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        }

        Assert.False(waiting.IsCompleted);
        Assert.Null(node.Services.GetRequiredService<StoreCondition>().Trouble);
        store.Fault = _ => null;
        Assert.True(node.AdvanceUntil(() => waiting.IsCompletedSuccessfully, TimeSpan.FromSeconds(2)));

        // It is said once a minute, and is no outage.
        Assert.Equal([1018, 1018], node.Logs.GetSnapshot().Select(line => line.Id.Id).Where(id => id is >= 1010 and <= 1019));
    }

    /// <summary>It is known for no longer then that the store is away: who takes the one for the other falls back to something that needs no lock.</summary>
    [Fact]
    [Promise("G12")]
    public async Task A_try_that_began_in_an_outage_learns_after_its_end_that_its_lock_is_busy()
    {
        var store = new SilentStore(new InMemoryLockStore());
        await using var node = new TestNode(actualStore: store);
        var gate = node.Services.GetRequiredService<StoreGate>();
        gate.Failed(0, StoreCall.Acquisition, node.Clock.Uptime - StoreGate.Pace, PartlyAwayStore.Away);
        var trying = node.Provider.GetLock("busy").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => store.Asked.IsCompleted, TimeSpan.FromSeconds(1)));
        gate.Replied(0, StoreCall.Acquisition, node.Clock.Uptime);
        node.Advance(TimeSpan.FromSeconds(2));
        Assert.False(trying.IsCompleted);

        // It pauses before it tries again, for which there is no time then.
        await node.UntilAsleepAsync(() => store.Fail(Busy));
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(1)));
        var busy = await Assert.ThrowsAsync<LockStoreException>(() => trying);
        Assert.True(busy.IsLockBusy, busy.ToString());
    }

    [Fact]
    [Promise("G12")]
    public async Task A_pipeline_that_gives_up_on_a_busy_lock_says_that_it_is_busy()
    {
        var (clock, isBusy) = (new TestClock(), true);
        var store = new PartlyAwayStore(new InMemoryLockStore(clock)) { KnowsShards = false, Fault = _ => isBusy ? Busy : null };
        await using var node = new TestNode(
            clock,
            configure: services => services.AddResiliencePipeline(CoordinationPipelines.Acquisition, pipeline =>
            {
                pipeline.TimeProvider = clock;
                pipeline.AddTimeout(TimeSpan.FromSeconds(1)).AddRetry(new() { MaxRetryAttempts = 100, Delay = TimeSpan.FromMilliseconds(300), ShouldHandle = new PredicateBuilder().Handle<LockStoreException>() });
            }),
            actualStore: store);
        var trying = node.Provider.GetLock("busy").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(5)));
        var busy = await Assert.ThrowsAsync<LockStoreException>(() => trying);
        Assert.True(busy.IsLockBusy, busy.ToString());
        Assert.Null(node.Services.GetRequiredService<StoreCondition>().Trouble);
    }

    private static LockStoreException Busy => new("Something else works on it.", isTransient: true) { MayBeApplied = false, IsLockBusy = true };

    /// <summary>Asks are replied to when the test says so.</summary>
    private sealed class SilentStore(ILockStore inner) : DelegatingLockStore(inner)
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<AcquireReply> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public void Fail(LockStoreException error) => _reply.TrySetException(error);

        public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            _asked.TrySetResult();
            return _reply.Task;
        }
    }
}
