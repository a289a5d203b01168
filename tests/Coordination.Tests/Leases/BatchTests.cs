using System.Collections.Concurrent;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Polly;
using Polly.Retry;

namespace Coordination.Tests.Leases;

/// <summary>Leases whose renewals are sent together: what becomes of one of them is not what becomes of the others.</summary>
public sealed class BatchTests
{
    private static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UntilDeadline = TimeSpan.FromSeconds(12);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F12", "F15")]
    public async Task A_batch_that_is_tried_again_leaves_out_what_was_lost_and_saves_the_others()
    {
        var clock = new TestClock();
        var store = new RecordingStore(new InMemoryLockStore(clock), clock);
        await using var node = new TestNode(clock, actualStore: store, configure: services => services.AddResiliencePipeline(
            CoordinationPipelines.Renewal,
            (pipeline, _) =>
            {
                // One call goes on for as long as it may.
                pipeline.TimeProvider = clock;
                pipeline.AddRetry(new RetryStrategyOptions { MaxRetryAttempts = int.MaxValue, Delay = TimeSpan.FromMilliseconds(50) });
            }));
        var early = await node.AcquireAsync("early");
        node.Advance(TimeSpan.FromMilliseconds(400));
        var late = await node.AcquireAsync("late");
        store.FailsRenewals = true;
        Assert.True(node.AdvanceUntil(() => early.Lost.IsCancellationRequested, UntilDeadline));
        var lostAt = clock.GetUtcNow();
        node.Advance(TimeSpan.FromMilliseconds(100));
        Assert.False(late.Lost.IsCancellationRequested);
        store.FailsRenewals = false;
        node.Advance(RenewalInterval);
        Assert.Equal(LeaseState.Held, late.State);
        Assert.Contains(store.Renewals, renewal => renewal.LockNames is ["early", "late"]);
        Assert.All(store.Renewals.Where(renewal => renewal.At > lostAt), renewal => Assert.Equal(["late"], renewal.LockNames));
    }

    [Fact]
    [Failure("F13", "F20")]
    public async Task A_renewal_that_hangs_ends_at_the_deadline_and_holds_up_no_later_release()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.Hang = true;
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, UntilDeadline));
        node.Settle();

        // The clock stands still, so no limit of the call ends it.
        var release = lease.ReleaseAsync(Token);
        Assert.True(SpinWait.SpinUntil(() => node.Store.GetCallCount(StoreOperation.Release) == 1, TimeSpan.FromMinutes(1)));
        node.Store.Hang = false;
        Assert.Equal(ReleaseResult.Released, await release);
    }

    [Fact]
    [Failure("F6")]
    public async Task A_revocation_ends_the_grant_that_it_names_and_no_other()
    {
        await using var node = new TestNode();
        var ownLock = node.Provider.GetLock("work").WithOwner(node.Provider.CreateOwner());
        var before = await ownLock.AcquireAsync(Token);
        await before.ReleaseAsync(Token);
        var lease = await ownLock.AcquireAsync(Token);

        // Heard late: the grant that was revoked is over, and its owner has the lock again.
        node.Watchdog.Revoke("work", lease.Owner, before.FencingToken);
        node.Watchdog.Revoke("another", lease.Owner, lease.FencingToken);
        Assert.Equal(LeaseState.Held, lease.State);
        Assert.False(lease.Lost.IsCancellationRequested);
        node.Watchdog.Revoke("work", lease.Owner, lease.FencingToken);
        Assert.Equal(LeaseLossReason.Revoked, lease.LossReason);
    }

    /// <summary>A store that keeps what was asked of it, and fails renewals on demand.</summary>
    private sealed class RecordingStore(ILockStore inner, TimeProvider time) : DelegatingLockStore(inner)
    {
        private volatile bool _failsRenewals;

        public bool FailsRenewals
        {
            get => _failsRenewals;
            set => _failsRenewals = value;
        }

        public ConcurrentQueue<(DateTimeOffset At, string[] LockNames)> Renewals { get; } = new();

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            Renewals.Enqueue((time.GetUtcNow(), [.. requests.Select(request => request.LockName)]));
            return _failsRenewals
                ? throw new LockStoreException("The store is away.", isTransient: true)
                : base.RenewAsync(requests, cancellationToken);
        }
    }
}
