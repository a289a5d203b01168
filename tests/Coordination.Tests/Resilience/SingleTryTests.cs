using Coordination.Occurrences;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;
using Coordination.Time;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Retry;

namespace Coordination.Tests.Resilience;

/// <summary>How long a call lasts in an outage that does not wait: who falls back to something else, as a job that runs anyway, is to do so soon.</summary>
[Promise("G12")]
[Failure("F91")]
public sealed class SingleTryTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    /// <summary>A renewal interval of the default lease.</summary>
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    /// <summary>About a second, and time for a clock that runs on while the pool is busy: less than a call that hangs may take.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(4);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 30)]
    [InlineData(true, 1)]
    [InlineData(true, 30)]
    public async Task A_try_fails_within_a_second_while_it_is_known_that_the_store_is_away(bool hangs, int callers)
    {
        await using var node = new TestNode();
        await KnowAwayAsync(node, hangs);
        var waiting = Enumerable.Range(0, callers - 1).Select(i => node.AcquireAsync("wanted" + i)).ToList();
        var tries = Enumerable.Range(0, callers).Select(i => (Name: "tried" + i, Call: node.Provider.GetLock("tried" + i).TryAcquireAsync(Token))).ToList();
        var occurrence = node.Services.GetRequiredService<OccurrenceLocks>().TryAcquireAsync(
            "run", options: null, new Occurrence { Series = "nightly", Time = DateTimeOffset.UnixEpoch, Run = "run", RememberFor = TimeSpan.FromHours(1) }, Token);

        Assert.True(node.AdvanceUntil(() => tries.TrueForAll(one => one.Call.IsCompleted) && occurrence.IsCompleted, Soon));
        foreach (var (name, call) in tries)
        {
            var error = await Assert.ThrowsAsync<LockStoreException>(() => call);
            Assert.True(error.IsTransient);
            AssertNames(name, error);
        }

        AssertNames("run", await Assert.ThrowsAsync<LockStoreException>(() => occurrence));
        Assert.All(waiting, call => Assert.False(call.IsCompleted));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_first_try_that_meets_a_hanging_store_lasts_for_one_call_limit(bool hasPipeline)
    {
        await using var node = new TestNode(configure: services => UseRetries(services, hasPipeline ? 10 : 0));
        node.Store.Hang = true;
        var trying = node.Provider.GetLock("tried").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, CallLimit + TimeSpan.FromSeconds(2)));
        AssertNames("tried", await Assert.ThrowsAsync<LockStoreException>(() => trying));
    }

    /// <summary>A server may be away as long as it takes to notice a dead one: a client's own time limit is shorter than a call's.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_try_gives_up_a_second_after_it_was_the_first_to_learn_of_an_outage(bool hasPipeline)
    {
        var store = new SlowStore(new InMemoryLockStore()) { FailsOnce = true, Hangs = true };
        await using var node = new TestNode(configure: services => UseRetries(services, hasPipeline ? 100 : 0), actualStore: store);
        var trying = node.Provider.GetLock("tried").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, Soon));
        AssertNames("tried", await Assert.ThrowsAsync<LockStoreException>(() => trying));
        store.Reply();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tries_are_granted_soon_after_the_store_is_back(bool hangs)
    {
        await using var node = new TestNode();
        await KnowAwayAsync(node, hangs);
        (node.Store.IsAway, node.Store.Hang) = (false, false);
        var trying = TryUntilGrantedAsync();
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, Soon));
        Assert.NotNull(await trying);

        async Task<ILockLease?> TryUntilGrantedAsync()
        {
            while (true)
            {
                try
                {
                    return await node.Provider.GetLock("tried").TryAcquireAsync(Token);
                }
                catch (LockStoreException e) when (e.IsTransient)
                {
                    // What is undone goes before it, and the clock may run on meanwhile.
                }
            }
        }
    }

    /// <summary>Each reply takes longer than a caller has in an outage: were what is sent given up with its caller, the outage would never end.</summary>
    [Fact]
    [Promise("G6")]
    public async Task What_a_try_has_sent_goes_on_without_it_ends_the_outage_and_is_undone()
    {
        var store = new SlowStore(new InMemoryLockStore());
        await using var node = new TestNode(actualStore: store);
        node.Services.GetRequiredService<StoreGate>().Failed(0, StoreCall.Acquisition, node.Clock.Uptime - StoreGate.Pace, PartlyAwayStore.Away);
        store.Hangs = true;
        var trying = node.Provider.GetLock("tried").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, Soon));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => trying)).MayBeApplied);
        node.Advance(TimeSpan.FromSeconds(1));
        Assert.False(store.IsEnded, "What was sent was cancelled.");
        Assert.False(node.Services.GetRequiredService<StoreGate>().IsOpen);

        store.Hangs = false;
        store.Reply();
        Assert.True(node.AdvanceUntil(() => node.Services.GetRequiredService<StoreGate>().IsOpen, TimeSpan.FromSeconds(1)));

        // Far sooner than its lease ends.
        var again = node.AcquireAsync("tried");
        Assert.True(node.AdvanceUntil(() => again.IsCompletedSuccessfully, Soon));
    }

    [Fact]
    [Promise("G8")]
    public async Task A_try_that_is_cancelled_in_an_outage_ends_what_it_has_sent()
    {
        var store = new SlowStore(new InMemoryLockStore());
        await using var node = new TestNode(actualStore: store);
        node.Services.GetRequiredService<StoreGate>().Failed(0, StoreCall.Acquisition, node.Clock.Uptime - StoreGate.Pace, PartlyAwayStore.Away);
        store.Hangs = true;
        using var cancellation = new CancellationTokenSource();
        var trying = node.Provider.GetLock("tried").TryAcquireAsync(cancellation.Token);
        Assert.True(SpinWait.SpinUntil(() => store.Asked == 1, Bound));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trying.WaitAsync(Bound, Token));
        Assert.True(SpinWait.SpinUntil(() => store.IsEnded, Bound));
    }

    private static async Task KnowAwayAsync(TestNode node, bool hangs)
    {
        (node.Store.IsAway, node.Store.Hang) = (!hangs, hangs);
        var first = node.Provider.GetLock("first").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => first.IsCompleted, 2 * CallLimit));
        await Assert.ThrowsAsync<LockStoreException>(() => first);
    }

    private static void AssertNames(string lockName, LockStoreException error)
    {
        // What the store itself says of this call stays as it is.
        if (error.Message is not ("Away." or "The controllable store was told to fail this call (Acquire)."))
        {
            Assert.Contains($"acquire the lock '{lockName}' now: ", error.Message, StringComparison.Ordinal);
        }
    }

    private static void UseRetries(IServiceCollection services, int retries)
    {
        if (retries > 0)
        {
            services.AddResiliencePipeline(CoordinationPipelines.Acquisition, (pipeline, context) =>
            {
                pipeline.TimeProvider = context.ServiceProvider.GetRequiredService<TimeProvider>();
                pipeline.AddRetry(new RetryStrategyOptions
                {
                    MaxRetryAttempts = retries,
                    Delay = TimeSpan.FromMilliseconds(100),
                    ShouldHandle = new PredicateBuilder().Handle<LockStoreException>(error => error.IsTransient),
                });
            });
        }
    }

    /// <summary>Takes its time, and ends when it is told to.</summary>
    private sealed class SlowStore(ILockStore inner) : DelegatingLockStore(inner)
    {
        private readonly TaskCompletionSource _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _asked;

        /// <summary>Whether the first call fails at once.</summary>
        public bool FailsOnce { get; init; }

        public volatile bool Hangs;

        public volatile bool IsEnded;

        public int Asked => Volatile.Read(ref _asked);

        public void Reply() => _reply.SetResult();

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _asked) == 1 && FailsOnce)
            {
                throw new LockStoreException("Away.", isTransient: true);
            }

            if (Hangs)
            {
                try
                {
                    await _reply.Task.WaitAsync(cancellationToken);
                }
                catch (OperationCanceledException)
                {
                    IsEnded = true;
                    throw;
                }
            }

            return await base.AcquireAsync(request, cancellationToken);
        }
    }
}
