using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;
using Coordination.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Waiting;

/// <summary>What happens between a call's ask and the store's reply, and what is left of calls that have ended.</summary>
public sealed class WaitingRoomTests
{
    private const int Cycles = 20;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G7")]
    [Failure("F1")]
    public async Task A_lock_that_is_passed_on_before_the_reply_says_that_it_is_held_is_not_missed()
    {
        var clock = new TestClock();
        var store = new SlowReplies(new ControllableLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        var held = await node.AcquireAsync();
        store.BeforeRefusal = async () => Assert.Equal(ReleaseResult.Released, await held.ReleaseAsync(Token));

        // The clock stands still, so nothing but what is heard ends the sleep.
        await using var next = await node.AcquireAsync().WaitAsync(Bound, Token);
        Assert.True(next.FencingToken > held.FencingToken);
    }

    [Fact]
    [Failure("F35")]
    public async Task Whoever_watches_holders_and_throws_fails_no_call()
    {
        await using var node = new TestNode();
        node.Store.GrantTo("work", "bob", TimeSpan.FromMinutes(1));
        var seen = 0;
        using var watch = node.Services.GetRequiredService<KnownHolders>().Subscribe("work", _ =>
        {
            Interlocked.Increment(ref seen);
            throw new InvalidOperationException("Nobody watches.");
        });

        Assert.Null(await node.Provider.GetLock("work").TryAcquireAsync(Token));
        Assert.Equal(1, seen);
        var waiting = node.Provider.GetLock("work").AcquireAsync(Token);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref seen) >= 2, Bound), "The waiter was not told who holds the lock.");
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromMinutes(2)), "The lock that lapsed was not granted.");
        await using var lease = await waiting.WaitAsync(Bound, Token);
        Assert.Equal(seen, node.Services.GetRequiredService<TelemetryDispatcher>().Failed);
    }

    [Fact]
    [Promise("G8")]
    [Failure("F3", "F5")]
    public async Task A_grant_whose_call_is_cancelled_before_the_reply_comes_is_undone()
    {
        var clock = new TestClock();
        var actual = new ControllableLockStore(clock);
        var store = new SlowReplies(actual);
        await using var node = new TestNode(clock, actualStore: store);
        using var cancellation = new CancellationTokenSource();
        var reply = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.BeforeGrant = () => reply.Task;
        var call = node.Provider.GetLock("work").AcquireAsync(cancellation.Token);
        Assert.Equal(1, actual.Count);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Bound, Token));

        // By the clock its lease never ends.
        Assert.True(SpinWait.SpinUntil(() => actual.Count == 0, Bound), "The grant was not undone.");
        reply.SetResult();
    }

    [Fact]
    [Promise("G1")]
    public async Task A_call_that_stood_behind_another_gets_a_grant_of_its_own()
    {
        await using var node = new TestNode();
        var held = await node.AcquireAsync();
        Task<ILockLease> first = null!;
        await node.UntilAsleepAsync(() => first = node.AcquireAsync());
        var second = node.AcquireAsync();
        await held.ReleaseAsync(Token);
        var before = await first.WaitAsync(Bound, Token);
        await before.ReleaseAsync(Token);
        var after = await second.WaitAsync(Bound, Token);
        Assert.NotEqual(before.Owner, after.Owner);
        Assert.True(after.FencingToken > before.FencingToken);
        Assert.Equal(after.Owner, (await node.Store.GetHolderAsync("work", Token))?.Owner);
    }

    [Fact]
    [Promise("G8", "G9")]
    [Failure("F7")]
    public async Task A_call_that_gives_up_leaves_its_place_in_the_stores_queue_to_the_one_behind_it()
    {
        await using var node = new TestNode();
        var held = await node.AcquireAsync();
        using var cancellation = new CancellationTokenSource();
        Task<ILockLease> first = null!;
        await node.UntilAsleepAsync(() => first = node.Provider.GetLock("work").AcquireAsync(cancellation.Token));
        var place = Assert.Single(await WaitersAsync(node));
        Task<ILockLease> second = node.AcquireAsync();
        await node.UntilAsleepAsync(cancellation.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Bound, Token));
        Assert.Equal(place.Owner, Assert.Single(await WaitersAsync(node)).Owner);
        await held.ReleaseAsync(Token);
        Assert.Equal(place.Owner, (await second.WaitAsync(Bound, Token)).Owner);
    }

    [Fact]
    [Failure("F7")]
    public async Task Waits_that_were_cancelled_leave_nothing_in_the_node()
    {
        var clock = new TestClock();
        var actual = new ControllableLockStore(clock);
        var store = new SlowReplies(actual);
        await using var node = new TestNode(clock, actualStore: store);
        var held = await node.AcquireAsync();
        var options = new List<WeakReference>();
        for (var i = 0; i < Cycles; i++)
        {
            options.Add(await WaitAndCancelAsync(node));
        }

        await held.ReleaseAsync(Token);
        Assert.True(SpinWait.SpinUntil(() => actual.Count == 0, Bound), "A waiter did not leave the queue.");
        Assert.Equal(Cycles, store.Queued.Count);
        AssertAreCollected(store.Queued);
        AssertAreCollected(store.QueuedOwners);
        AssertAreCollected(options);
    }

    [Fact]
    [Failure("F7")]
    public async Task Locks_that_were_released_leave_nothing_in_the_node()
    {
        await using var node = new TestNode();
        var options = new List<WeakReference>();
        for (var i = 0; i < Cycles; i++)
        {
            options.Add(await AcquireAndReleaseAsync(node, $"work-{i}"));
        }

        AssertAreCollected(options);
    }

    private static async Task<IReadOnlyList<LockWaiter>> WaitersAsync(TestNode node) =>
        (await node.Services.GetRequiredService<ILockInspector>().InspectAsync("work", cancellationToken: Token)).Waiters;

    /// <summary>All but a few, which a thread of the pool may still have on its stack from the last that it ran.</summary>
    private static void AssertAreCollected(IReadOnlyCollection<WeakReference> references) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return references.Count(reference => reference.IsAlive) < Cycles / 2;
            },
            Bound),
        "Something is kept of calls that have ended.");

    // Methods of their own, so that no local of a test keeps alive what is looked at.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> WaitAndCancelAsync(TestNode node)
    {
        var options = new LockOptions { MaxHold = TimeSpan.FromHours(1) };
        using var cancellation = new CancellationTokenSource();
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.Provider.GetLock("work", options).AcquireAsync(cancellation.Token));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Bound, Token));
        return new WeakReference(options);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> AcquireAndReleaseAsync(TestNode node, string lockName)
    {
        var options = new LockOptions { MaxHold = TimeSpan.FromHours(1) };
        await (await node.AcquireAsync(lockName, options)).DisposeAsync();
        return new WeakReference(options);
    }

    /// <summary>A store on which something may happen before its replies come.</summary>
    private sealed class SlowReplies(ILockStore inner) : DelegatingLockStore(inner)
    {
        public Func<Task>? BeforeGrant { get; set; }

        public Func<Task>? BeforeRefusal { get; set; }

        /// <summary>The requests that joined the queue.</summary>
        public ConcurrentBag<WeakReference> Queued { get; } = [];

        public ConcurrentBag<WeakReference> QueuedOwners { get; } = [];

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            var reply = await base.AcquireAsync(request, cancellationToken);
            if (reply.IsGranted)
            {
                await (BeforeGrant?.Invoke() ?? Task.CompletedTask);
            }
            else if (request.Wait)
            {
                Queued.Add(new WeakReference(request));
                QueuedOwners.Add(new WeakReference(request.Owner));
                await (BeforeRefusal?.Invoke() ?? Task.CompletedTask);
            }

            return reply;
        }
    }
}
