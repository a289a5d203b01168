using System.Collections.Concurrent;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Semaphores, and names that are used in several ways.</content>
public abstract partial class LockShareContract
{
    [Fact]
    [Promise("G1", "G3")]
    public async Task A_semaphore_gives_as_many_leases_as_it_has_permits_each_with_number_and_token()
    {
        var (first, second) = (StartNode(), StartNode());
        var leases = new[] { await AcquireAsync(Semaphore(first, 3)), await AcquireAsync(Semaphore(second, 3)), await AcquireAsync(Semaphore(first, 3)) };
        Assert.Equal([0, 1, 2], leases.Select(lease => lease.Permit!.Value));
        Assert.Equal(leases.Select(lease => lease.FencingToken).Order().Distinct(), leases.Select(lease => lease.FencingToken));
        Assert.Equal(3, leases.Select(lease => lease.Owner).Distinct().Count());
        Assert.Null(await TryAsync(Semaphore(first, 3)));
        Assert.Null(await Semaphore(second, 3).TryAcquireAsync(TimeSpan.FromMilliseconds(50), Cancellation).WaitAsync(Bound, Cancellation));
        await AssertHeldByAsync(leases);

        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(leases[1]));
        Assert.Equal(ReleaseResult.AlreadyReleased, await ReleaseAsync(leases[1]));
        var next = await TryAsync(Semaphore(first, 3));
        Assert.Equal(1, next?.Permit);
        Assert.Equal(RenewalResult.Renewed, await leases[0].RenewAsync(Cancellation).WaitAsync(Bound, Cancellation));
        await AssertHeldByAsync(leases[0], leases[2], next!);
        foreach (var lease in new[] { leases[0], leases[2], next! })
        {
            await lease.DisposeAsync();
        }

        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G9", "G10")]
    public async Task A_released_permit_goes_to_the_node_that_came_first_long_before_a_lease_ends()
    {
        var nodes = Enumerable.Range(0, 3).Select(_ => StartNode()).ToArray();
        var held = new Queue<ILockLease>([await AcquireAsync(Semaphore(nodes[0], 2)), await AcquireAsync(Semaphore(nodes[1], 2))]);
        var waiting = new List<Task<ILockLease>>();
        foreach (var node in nodes.Concat(nodes))
        {
            waiting.Add(await QueueAsync(Semaphore(node, 2)));
        }

        foreach (var next in waiting)
        {
            var leaving = held.Dequeue();
            await ReleaseAsync(leaving);
            var granted = await next.WaitAsync(Bound, Cancellation);
            Assert.Equal(leaving.Permit, granted.Permit);
            Assert.True(granted.FencingToken > leaving.FencingToken);
            held.Enqueue(granted);
        }

        await ReleaseAsync(held.Dequeue());
        await ReleaseAsync(held.Dequeue());
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G9")]
    public async Task Calls_of_one_node_get_the_only_permit_in_the_order_in_which_they_came()
    {
        var node = StartNode();
        var lease = await AcquireAsync(Semaphore(node, 1));
        var order = new ConcurrentQueue<int>();
        var all = Task.WhenAll(Enumerable.Range(0, 8).Select(WaitAsync).ToArray());
        await ReleaseAsync(lease);
        await all.WaitAsync(2 * Bound, Cancellation);
        Assert.Equal(Enumerable.Range(0, 8), order);

        async Task WaitAsync(int number)
        {
            await using var granted = await Semaphore(node, 1).AcquireAsync(Cancellation);
            order.Enqueue(number);
        }
    }

    [Fact]
    [Promise("G8")]
    [Failure("F7")]
    public async Task A_call_that_gives_up_leaves_the_others_of_its_node_waiting_and_no_place()
    {
        var (first, second) = (StartNode(), StartNode());
        var (one, other) = (await AcquireAsync(Semaphore(first, 2)), await AcquireAsync(Semaphore(first, 2)));
        using var cancelling = new CancellationTokenSource();
        var cancelled = await QueueAsync(Semaphore(second, 2), cancelling.Token);
        var staying = await QueueAsync(Semaphore(second, 2));
        Assert.Null(await Semaphore(second, 2).TryAcquireAsync(TimeSpan.FromMilliseconds(50), Cancellation).WaitAsync(Bound, Cancellation));
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Cancellation));
        Assert.False(staying.IsCompleted);

        await ReleaseAsync(one);
        var next = await staying.WaitAsync(Bound, Cancellation);
        await AssertHeldByAsync(other, next);
        await ReleaseAsync(other);
        await ReleaseAsync(next);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G8")]
    [Failure("F5")]
    public async Task A_call_that_is_cancelled_in_the_moment_it_is_granted_passes_the_permit_on()
    {
        var (first, second) = (StartNode(), StartNode());
        for (var i = 0; i < Cycles; i++)
        {
            var held = new[] { await AcquireAsync(Semaphore(first, 2)), await AcquireAsync(Semaphore(first, 2)) };
            using var cancelling = new CancellationTokenSource();
            var waiting = Enumerable.Range(0, 3).Select(_ => Semaphore(second, 2).AcquireAsync(cancelling.Token)).ToArray();
            var releasing = AtOnce.Async(held, ReleaseAsync, Bound);
            await Task.Run(cancelling.CancelAsync, Cancellation);
            foreach (var call in waiting)
            {
                try
                {
                    await ReleaseAsync(await call.WaitAsync(Bound, Cancellation));
                }
                catch (OperationCanceledException) when (cancelling.IsCancellationRequested)
                {
                    // It gave up, as it should.
                }
            }

            Assert.All(await releasing, result => Assert.Equal(ReleaseResult.Released, result));
        }

        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G1")]
    public async Task A_name_in_use_is_refused_in_another_way_with_a_sentence_that_names_both()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await AcquireAsync(Semaphore(first, 2));
        foreach (var (other, words) in new[] { (second.GetLock(Name), "an exclusive lock"), (Semaphore(second, 3), "a semaphore of 3 permits"), (ReaderWriter(second).Read, "a reader-writer lock") })
        {
            foreach (var call in new Func<Task>[] { () => TryAsync(other), () => AcquireAsync(other), () => other.TryAcquireAsync(TimeSpan.FromSeconds(5), Cancellation) })
            {
                var refused = await Assert.ThrowsAsync<LockStoreException>(call);
                Assert.Equal((false, LockCapacity.Semaphore(2)), (refused.IsTransient, refused.InUseAs));
                Assert.Contains("a semaphore of 2 permits", refused.Message, StringComparison.Ordinal);
                Assert.Contains(words, refused.Message, StringComparison.Ordinal);
            }
        }

        await AssertHeldByAsync(lease);
        await ReleaseAsync(lease);
        await using (await AcquireAsync(second.GetLock(Name)))
        {
            Assert.Equal(LockCapacity.Exclusive, (await Assert.ThrowsAsync<LockStoreException>(() => AcquireAsync(Semaphore(first, 2)))).InUseAs);
        }

        await AssertNothingLeftAsync(Name);
    }
}
