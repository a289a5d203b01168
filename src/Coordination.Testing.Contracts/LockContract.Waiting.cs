using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Coordination.Testing.Contracts.Nodes;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Waiters: takeover, handover, order, and calls that give up.</content>
public abstract partial class LockContract
{
    [Fact]
    [Promise("G4")]
    [Failure("F34")]
    public async Task The_lock_of_a_dead_node_goes_to_a_waiter_whose_own_lease_is_much_longer()
    {
        var node = StartNode();
        var lease = TimeSpan.FromSeconds(1);
        var start = TimeProvider.System.GetTimestamp();
        var dead = await AskAndDieAsync(node, "dead", lease, Long);
        Assert.True(dead.IsGranted);

        await using var next = await AcquireAsync(node);
        Assert.True(next.FencingToken > dead.FencingToken);

        // Not sooner than the dead one's time; servers round to milliseconds.
        Assert.True(TimeProvider.System.GetElapsedTime(start) > lease - TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    [Promise("G4")]
    [Failure("F9")]
    public async Task A_dead_waiter_costs_the_live_one_a_claim_window()
    {
        var claimWindow = TimeSpan.FromMilliseconds(500);
        var node = StartNode(options => options.ClaimWindow = claimWindow);
        Assert.True((await AskAndDieAsync(node, "dead", TimeSpan.FromSeconds(3), claimWindow)).IsGranted);
        Assert.False((await AskAndDieAsync(node, "dead-waiter", Long, claimWindow)).IsGranted);
        await using var lease = await AcquireAsync(node);
        Assert.Equal(node.Provider.NodeId, (await node.Administration.GetHolderAsync(Name, Cancellation))?.Owner.NodeId);
    }

    [Theory]
    [Failure("F9")]
    [InlineData(1)]
    [InlineData(3)]
    public async Task After_a_release_each_dead_waiter_costs_the_live_one_behind_it_a_claim_window(int dead)
    {
        var claimWindow = TimeSpan.FromMilliseconds(500);
        var (first, second) = (StartNode(options => options.ClaimWindow = claimWindow), StartNode(options => options.ClaimWindow = claimWindow));
        var lease = await AcquireAsync(first);
        for (var i = 0; i < dead; i++)
        {
            Assert.False((await AskAndDieAsync(first, $"dead-waiter-{i}", Long, claimWindow)).IsGranted);
        }

        // The lease would last for longer than the bound.
        var waiting = await QueueAsync(second);
        var start = TimeProvider.System.GetTimestamp();
        await ReleaseAsync(lease);
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(TimeProvider.System.GetElapsedTime(start) > (dead * claimWindow) - TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    [Promise("G10")]
    public async Task A_release_hands_the_lock_over_long_before_the_lease_would_have_ended()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        for (var i = 0; i < Math.Min(10, Cycles); i++)
        {
            var waiting = await QueueAsync(i % 2 == 0 ? second : first);
            await ReleaseAsync(lease);
            var next = await waiting.WaitAsync(Bound, Cancellation);
            Assert.True(next.FencingToken > lease.FencingToken);
            lease = next;
        }

        await ReleaseAsync(lease);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Failure("F1")]
    public async Task A_lock_that_is_released_before_a_waiting_node_can_hear_of_it_is_not_missed()
    {
        var (first, (second, link)) = (StartNode(), StartLinkedNode());
        var lease = await AcquireAsync(first);
        link.BeforeListening = () => ReleaseAsync(lease);
        await using var next = await AcquireAsync(second);
        Assert.True(next.FencingToken > lease.FencingToken);
    }

    [Fact]
    [Failure("F1")]
    public async Task A_lock_that_is_released_while_a_node_begins_to_wait_is_not_missed()
    {
        var first = StartNode();
        for (var i = 0; i < 10; i++)
        {
            // A node of its own has no subscription yet.
            var second = StartNode();
            var lease = await AcquireAsync(first);
            var waiting = second.GetLock(Name).AcquireAsync(Cancellation);
            await ReleaseAsync(lease);
            await ReleaseAsync(await waiting.WaitAsync(Bound, Cancellation));
        }
    }

    [Fact]
    [Failure("F2")]
    public async Task A_waiter_asks_again_when_the_connection_is_back()
    {
        var (first, (second, link)) = (StartNode(), StartLinkedNode());
        var lease = await AcquireAsync(first);
        var waiting = await QueueAsync(second);
        link.IsDeaf = true;
        await ReleaseAsync(lease);
        link.IsDeaf = false;
        link.Reconnect();
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(next.FencingToken > lease.FencingToken);
    }

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task A_waiter_that_hears_nothing_gets_the_lock_within_the_lease_duration()
    {
        var first = StartNode(options => options.LeaseDuration = TimeSpan.FromSeconds(2));
        var (deaf, link) = StartLinkedNode();
        link.IsDeaf = true;
        var lease = await AcquireAsync(first);
        var waiting = await QueueAsync(deaf);
        await ReleaseAsync(lease);
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.Equal(LeaseState.Held, next.State);
    }

    [Fact]
    [Promise("G9")]
    public async Task Nodes_get_the_lock_in_the_order_in_which_they_came()
    {
        var nodes = Enumerable.Range(0, 4).Select(_ => StartNode()).ToArray();
        var lease = await AcquireAsync(StartNode());
        var waiting = new List<Task<ILockLease>>();
        foreach (var node in nodes)
        {
            waiting.Add(await QueueAsync(node));
        }

        await ReleaseAsync(lease);
        foreach (var (next, node) in waiting.Zip(nodes))
        {
            var granted = await next.WaitAsync(Bound, Cancellation);
            Assert.Equal(node.Provider.NodeId, granted.Owner.NodeId);
            await ReleaseAsync(granted);
        }
    }

    [Fact]
    [Promise("G9")]
    public async Task Calls_of_one_node_get_the_lock_in_the_order_in_which_they_came()
    {
        var node = StartNode();
        var lease = await AcquireAsync(node);
        var order = new ConcurrentQueue<int>();
        var all = Task.WhenAll(Enumerable.Range(0, 8).Select(WaitAsync).ToArray());
        await ReleaseAsync(lease);
        await all.WaitAsync(2 * Bound, Cancellation);
        Assert.Equal(Enumerable.Range(0, 8), order);

        async Task WaitAsync(int number)
        {
            await using var granted = await node.GetLock(Name).AcquireAsync(Cancellation);
            order.Enqueue(number);
        }
    }

    [Fact]
    [Failure("F7")]
    public async Task A_call_that_times_out_or_is_cancelled_leaves_the_others_of_its_process_waiting()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        var staying = await QueueAsync(second);
        using var cancelling = new CancellationTokenSource();
        var cancelled = second.GetLock(Name).AcquireAsync(cancelling.Token);
        Assert.Null(await second.GetLock(Name).TryAcquireAsync(TimeSpan.FromMilliseconds(50), Cancellation).WaitAsync(Bound, Cancellation));
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Cancellation));

        Assert.False(staying.IsCompleted);
        await ReleaseAsync(lease);
        await ReleaseAsync(await staying.WaitAsync(Bound, Cancellation));
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Failure("F7")]
    public async Task The_call_that_came_first_may_give_up_and_its_node_keeps_the_place()
    {
        var (first, second, third) = (StartNode(), StartNode(), StartNode());
        var lease = await AcquireAsync(first);
        using var cancelling = new CancellationTokenSource();
        var cancelled = await QueueAsync(second, cancellation: cancelling.Token);
        var staying = second.GetLock(Name).AcquireAsync(Cancellation);
        var behind = await QueueAsync(third);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Cancellation));

        await ReleaseAsync(lease);
        var next = await staying.WaitAsync(Bound, Cancellation);
        Assert.False(behind.IsCompleted);
        await ReleaseAsync(next);
        await ReleaseAsync(await behind.WaitAsync(Bound, Cancellation));
    }

    [Fact]
    [Promise("G7", "G8")]
    public async Task An_owner_that_gives_up_and_waits_again_at_once_is_in_the_queue()
    {
        var (first, (second, link)) = (StartNode(), StartLinkedNode());
        var lease = await AcquireAsync(first);
        var own = second.GetLock(Name).WithOwner(second.Provider.CreateOwner());

        // The second wait asks right before the first one leaves the queue.
        Task<ILockLease>? waiting = null;
        link.BeforeReleasing = () => waiting ??= own.AcquireAsync(Cancellation);
        Assert.Null(await own.TryAcquireAsync(TimeSpan.FromMilliseconds(50), Cancellation).WaitAsync(Bound, Cancellation));
        await Eventually.IsTrueAsync(() => link.Releases > 0, Bound, "The first wait leaves the queue.");

        await Eventually.IsTrueAsync(async () => await Leftovers.CountWaitersAsync(first.Store, Name) == 1, Bound, "The second wait is in the queue.");
        await ReleaseAsync(lease);
        await ReleaseAsync(await waiting!.WaitAsync(Bound, Cancellation));
    }

    [Fact]
    [Promise("G8")]
    [Failure("F5")]
    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "It spreads the cancellations over the cycle.")]
    public async Task A_call_that_is_cancelled_in_the_moment_it_is_granted_passes_the_lock_on()
    {
        var (first, second) = (StartNode(), StartNode());
        var (granted, cancelled) = (0, 0);
        for (var i = 0; i < Cycles; i++)
        {
            var lease = await AcquireAsync(first);
            using var cancelling = new CancellationTokenSource();
            var waiting = second.GetLock(Name).AcquireAsync(cancelling.Token);
            await YieldAsync(Random.Shared.Next(20));
            var releasing = Task.Run(() => ReleaseAsync(lease), Cancellation);
            await YieldAsync(Random.Shared.Next(20));
            await cancelling.CancelAsync();
            try
            {
                await ReleaseAsync(await waiting.WaitAsync(Bound, Cancellation));
                granted++;
            }
            catch (OperationCanceledException) when (cancelling.IsCancellationRequested)
            {
                cancelled++;
            }

            // In the next cycle the lock is free at once: its bound is shorter than the claim window.
            Assert.Equal(ReleaseResult.Released, await releasing);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{granted} granted, {cancelled} cancelled");
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G8")]
    [Failure("F7")]
    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "It spreads the cancellations over the cycle.")]
    public async Task Calls_that_are_cancelled_at_any_moment_leave_nothing_and_fail_no_other()
    {
        // The third node has no patient call, so that its place in the queue comes and goes.
        var nodes = new[] { StartNode(), StartNode(), StartNode() };
        var impatient = AtOnce.Async(Enumerable.Range(0, 9), GiveUpOftenAsync, Bound);
        await AtOnce.Async(nodes.Take(2), TakeTurnsAsync, Bound);
        await impatient;
        await AssertNothingLeftAsync(Name);
        await ReleaseAsync(await AcquireAsync(nodes[0]));

        async Task TakeTurnsAsync(Node node)
        {
            while (!impatient.IsCompleted)
            {
                await using var lease = await AcquireAsync(node);
                await Task.Yield();
            }
        }

        async Task GiveUpOftenAsync(int number)
        {
            for (var i = 0; i < 30; i++)
            {
                using var cancelling = new CancellationTokenSource(TimeSpan.FromMilliseconds(Random.Shared.Next(10)));
                try
                {
                    await using var lease = await nodes[number % nodes.Length].GetLock(Name).AcquireAsync(cancelling.Token);
                }
                catch (OperationCanceledException) when (cancelling.IsCancellationRequested)
                {
                    // It gave up, as it should.
                }
            }
        }
    }

    private static async Task YieldAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            await Task.Yield();
        }
    }
}
