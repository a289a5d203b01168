using Coordination.Leases;
using Coordination.Occurrences;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;
using Coordination.Tests.Resilience;
using Coordination.Time;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Occurrences;

/// <summary>Locks for work that is done once for each of its scheduled times.</summary>
public sealed class OccurrenceLocksTests
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RealTimeLimit = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G11")]
    public async Task A_run_that_is_over_was_run_and_one_that_was_undone_was_not()
    {
        await using var node = new TestNode();
        var given = await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        await node.Services.GetRequiredService<LeaseKeeper>().UndoAsync(((LeaseHandle)given.Lease!).Lease);
        var run = await Locks(node).TryAcquireAsync("work", null, At(0, "two"), Token);
        Assert.Equal(OccurrenceStatus.Started, run.Status);
        Assert.Equal(ReleaseResult.Released, await run.Lease!.ReleaseAsync(Token));
        AssertAlreadyRun(await Locks(node).TryAcquireAsync("work", null, At(0, "three"), Token), "two");
    }

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public async Task An_occurrence_that_was_waited_for_is_asked_for_with_the_lock_in_hand()
    {
        await using var node = new TestNode();
        var held = await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        Task<OccurrenceAttempt> same = null!, next = null!;
        await node.UntilAsleepAsync(() => same = Locks(node).AcquireAsync("work", null, At(0, "two"), Timeout.InfiniteTimeSpan, Token));
        next = Locks(node).AcquireAsync("work", null, At(1, "two"), Timeout.InfiniteTimeSpan, Token);
        await held.Lease!.ReleaseAsync(Token);

        // Run meanwhile: the lock that it got for it goes to the next.
        AssertAlreadyRun(await same.WaitAsync(RealTimeLimit, Token), "one");
        var granted = await next.WaitAsync(RealTimeLimit, Token);
        Assert.Equal(OccurrenceStatus.Started, granted.Status);
        Assert.True(granted.Lease!.FencingToken > held.Lease.FencingToken);
        await granted.Lease.ReleaseAsync(Token);
        AssertAlreadyRun(await Locks(node).TryAcquireAsync("work", null, At(1, "three"), Token), "two");
    }

    [Fact]
    [Failure("F33")]
    public async Task The_occurrence_of_a_holder_that_died_is_recovered_by_who_waited()
    {
        var clock = new TestClock();
        var store = new ControllableLockStore(clock);
        var dead = Requests.Acquire("work", new LockOwner("dead", 1), LeaseDuration, occurrence: At(0, "dead"));
        await store.AcquireAsync(dead, Token);
        await using var node = new TestNode(clock, store);
        Task<OccurrenceAttempt> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = Locks(node).AcquireAsync("work", null, At(0, "alive", makeUp: true), Timeout.InfiniteTimeSpan, Token));
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, LeaseDuration + TimeSpan.FromMilliseconds(250)));
        var attempt = await waiting;
        Assert.Equal((OccurrenceStatus.Recovering, "dead"), (attempt.Status, attempt.Run));
    }

    [Fact]
    public async Task A_wait_that_is_up_says_nothing_of_the_occurrence()
    {
        await using var node = new TestNode();
        await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        var waiting = Locks(node).AcquireAsync("work", null, At(0, "two"), TimeSpan.FromSeconds(1), Token);
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(3)));
        Assert.Equal(new OccurrenceAttempt(), await waiting);
    }

    [Theory]
    [Promise("G8")]
    [Failure("F3")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_occurrence_whose_confirmation_failed_is_anothers_to_run(bool isCancelled)
    {
        await using var node = new TestNode();
        using var cancellation = new CancellationTokenSource();
        var lease = (LeaseHandle)await node.AcquireAsync();
        if (isCancelled)
        {
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Locks(node).ConfirmAsync(lease, At(0, "one"), cancellation.Token));
        }
        else
        {
            // It is applied, with all its retries, and every reply is lost.
            for (var i = 0; i < 4; i++)
            {
                node.Store.LoseNextReply(StoreOperation.Acquire);
            }

            var confirming = Locks(node).ConfirmAsync(lease, At(0, "one"), Token);
            Assert.True(node.AdvanceUntil(() => confirming.IsCompleted, LeaseDuration));
            await Assert.ThrowsAsync<LockStoreException>(() => confirming);
        }

        Assert.NotEqual(LeaseState.Held, lease.State);
        var other = await Locks(node).TryAcquireAsync("work", null, At(0, "two"), Token);
        Assert.Equal(OccurrenceStatus.Started, other.Status);
        Assert.NotNull(other.Lease);
    }

    [Fact]
    [Failure("F3")]
    public async Task A_try_whose_replies_were_all_lost_undoes_the_occurrence()
    {
        await using var node = new TestNode();
        for (var i = 0; i < 4; i++)
        {
            node.Store.LoseNextReply(StoreOperation.Acquire);
        }

        var trying = Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, LeaseDuration));
        await Assert.ThrowsAsync<LockStoreException>(() => trying);
        Assert.True(node.AdvanceUntil(() => node.Store.Count == 0, StoreGate.Pace), "The grant was not undone.");
        Assert.Equal(OccurrenceStatus.Started, (await Locks(node).TryAcquireAsync("work", null, At(0, "two"), Token)).Status);
    }

    [Fact]
    [Failure("F33")]
    public async Task A_run_that_lost_its_lease_is_not_finished()
    {
        await using var node = new TestNode();
        var lost = await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        node.Store.LoseLock("work");
        Assert.True(node.AdvanceUntil(() => lost.Lease!.Lost.IsCancellationRequested, LeaseDuration));
        Assert.Equal(ReleaseResult.NotHeld, await lost.Lease!.ReleaseAsync(Token));
        var madeUp = await Locks(node).TryAcquireAsync("work", null, At(0, "two", makeUp: true), Token);
        Assert.Equal((OccurrenceStatus.Recovering, "one"), (madeUp.Status, madeUp.Run));
    }

    [Fact]
    [Failure("F33")]
    public async Task A_run_whose_deadline_came_is_not_finished_although_its_lock_is_still_its_own()
    {
        await using var node = new TestNode();
        var lost = await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        node.Store.FailRenewals = true;
        Assert.True(node.AdvanceUntil(() => lost.Lease!.Lost.IsCancellationRequested, LeaseDuration));
        Assert.Equal("one", (await node.Store.AcquireAsync(Ask(At(0, "two", makeUp: true)), Token)).OccurrenceRun);
        await lost.Lease!.ReleaseAsync(Token);
        var madeUp = await Locks(node).TryAcquireAsync("work", null, At(0, "two", makeUp: true), Token);
        Assert.Equal((OccurrenceStatus.Recovering, "one"), (madeUp.Status, madeUp.Run));
    }

    [Fact]
    [Promise("G11")]
    [Failure("F33")]
    public async Task A_run_that_is_abandoned_is_recovered_by_who_may_and_by_nobody_else()
    {
        await using var node = new TestNode();
        var abandoned = await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        await Locks(node).ReleaseUnfinishedAsync(abandoned.Lease!);
        AssertAlreadyRun(await Locks(node).TryAcquireAsync("work", null, At(0, "two"), Token), "one");
        Assert.Equal(OccurrenceStatus.Recovering, (await Locks(node).TryAcquireAsync("work", null, At(0, "two", makeUp: true), Token)).Status);
    }

    /// <summary>Else it would be run again elsewhere although it is done.</summary>
    [Fact]
    [Promise("G11", "G12")]
    [Failure("F90")]
    public async Task A_release_with_an_occurrence_is_tried_until_the_lease_has_lapsed()
    {
        await using var node = new TestNode();
        var done = await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        node.Store.IsAway = true;
        var releasing = done.Lease!.ReleaseAsync(Token);
        node.Advance(LeaseDuration * 4 / 5);
        Assert.False(releasing.IsCompleted);
        node.Store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => releasing.IsCompleted, LeaseDuration / 5));
        Assert.Equal(ReleaseResult.Released, await releasing);
        AssertAlreadyRun(await Locks(node).TryAcquireAsync("work", null, At(0, "two", makeUp: true), Token), "one");
    }

    [Fact]
    [Failure("F90")]
    public async Task A_release_with_an_occurrence_ends_with_the_lease_at_the_latest()
    {
        await using var node = new TestNode();
        var done = await Locks(node).TryAcquireAsync("work", null, At(0, "one"), Token);
        node.Store.IsAway = true;
        var releasing = done.Lease!.ReleaseAsync(Token);
        Assert.True(node.AdvanceUntil(() => releasing.IsCompleted, LeaseDuration + TimeSpan.FromMilliseconds(500)));
        Assert.Equal(ReleaseResult.Unknown, await releasing);
    }

    [Fact]
    [Failure("F40")]
    public async Task A_confirmation_waits_while_the_store_is_away_whatever_else_fails_meanwhile()
    {
        await using var node = new TestNode();
        var lease = (LeaseHandle)await node.AcquireAsync();
        var gate = node.Services.GetRequiredService<StoreGate>();
        gate.Failed(0, StoreCall.Acquisition, node.Clock.Uptime, PartlyAwayStore.Away);
        var confirming = Locks(node).ConfirmAsync(lease, At(0, "one"), Token);
        gate.Failed(0, StoreCall.Acquisition, node.Clock.Uptime, PartlyAwayStore.Away);
        node.Clock.Advance(StoreGate.Pace);
        Assert.Same(lease, (await confirming.WaitAsync(RealTimeLimit, Token)).Lease);
    }

    [Fact]
    [Failure("F3")]
    public async Task A_confirmation_that_lost_one_reply_is_asked_for_again_and_stands()
    {
        await using var node = new TestNode();
        var lease = (LeaseHandle)await node.AcquireAsync();
        node.Store.LoseNextReply(StoreOperation.Acquire);
        var confirming = Locks(node).ConfirmAsync(lease, At(0, "one"), Token);
        Assert.True(node.AdvanceUntil(() => confirming.IsCompleted, LeaseDuration));
        var confirmed = await confirming;
        Assert.Equal((OccurrenceStatus.Started, LeaseState.Held), (confirmed.Status, lease.State));
        Assert.Same(lease, confirmed.Lease);
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Token));
        AssertAlreadyRun(await Locks(node).TryAcquireAsync("work", null, At(0, "two"), Token), "one");
    }

    [Fact]
    [Promise("G8")]
    [Failure("F5")]
    public async Task A_wait_that_is_cancelled_after_its_confirmation_undoes_the_occurrence()
    {
        using var cancellation = new CancellationTokenSource();
        var clock = new TestClock();
        var store = new ControllableLockStore(clock);
        await using var node = new TestNode(clock, store, actualStore: new CancelledInTheMomentOfTheFire(store, cancellation));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Locks(node).AcquireAsync("work", null, At(0, "one"), Timeout.InfiniteTimeSpan, cancellation.Token).WaitAsync(RealTimeLimit, Token));
        Assert.Equal(0, store.Count);
        Assert.Equal(OccurrenceStatus.Started, (await store.AcquireAsync(Ask(At(0, "two")), Token)).OccurrenceStatus);
    }

    [Theory]
    [Failure("F18", "F33")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lock_that_was_lost_before_its_confirmation_is_undone_with_its_occurrence(bool isKnown)
    {
        await using var node = new TestNode();
        var lease = (LeaseHandle)await node.AcquireAsync();
        node.Store.LoseLock("work");
        if (isKnown)
        {
            Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, LeaseDuration));
        }

        // The store has the lock for it anew, under another token, which is not the lease's.
        Assert.Null((await Locks(node).ConfirmAsync(lease, At(0, "one"), Token)).Lease);
        Assert.Equal(0, node.Store.Count);
        Assert.Equal(OccurrenceStatus.Started, (await Locks(node).TryAcquireAsync("work", null, At(0, "two"), Token)).Status);
    }

    [Fact]
    [Failure("F10")]
    public async Task A_confirmation_of_a_lock_that_is_anothers_meanwhile_changes_nothing_of_it()
    {
        await using var node = new TestNode();
        var lease = (LeaseHandle)await node.AcquireAsync();
        var stranger = node.Store.GrantTo("work", "stranger");
        var attempt = await Locks(node).ConfirmAsync(lease, At(0, "one"), Token);
        Assert.Equal((null, OccurrenceStatus.None, stranger), (attempt.Lease, attempt.Status, attempt.Holder?.Owner));
        Assert.NotEqual(LeaseState.Held, lease.State);
        Assert.Equal(stranger, (await node.Store.GetHolderAsync("work", Token))!.Owner);
        node.Store.LoseLock("work");
        Assert.Equal(OccurrenceStatus.Started, (await Locks(node).TryAcquireAsync("work", null, At(0, "two"), Token)).Status);
    }

    private static AcquireRequest Ask(Occurrence occurrence) => Requests.Acquire("work", new LockOwner("other", 1), LeaseDuration, occurrence: occurrence);

    private static OccurrenceLocks Locks(TestNode node) => node.Services.GetRequiredService<OccurrenceLocks>();

    private static Occurrence At(int second, string run, bool makeUp = false) => new()
    {
        Series = "job@trigger",
        Time = new DateTimeOffset(2026, 1, 2, 12, 0, second, TimeSpan.Zero),
        Run = run,
        Recover = makeUp,
        RememberFor = TimeSpan.FromDays(1),
    };

    private static void AssertAlreadyRun(OccurrenceAttempt attempt, string by) =>
        Assert.Equal((null, null, OccurrenceStatus.AlreadyRun, by), (attempt.Lease, attempt.Holder, attempt.Status, attempt.Run));

    private sealed class CancelledInTheMomentOfTheFire(ILockStore inner, CancellationTokenSource cancellation) : DelegatingLockStore(inner)
    {
        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            var reply = await base.AcquireAsync(request, cancellationToken);
            if (request.Occurrence is not null)
            {
                await cancellation.CancelAsync();
            }

            return reply;
        }
    }
}
