using Coordination.DistributedLock.Tests.Ways;
using Coordination.TestKit.Nodes;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

/// <summary>What code that was written for DistributedLock relies on of a semaphore. A store's tests inherit it.</summary>
public abstract class DistributedSemaphoreContract(SharedStore store) : AdapterContract(store)
{
    private const int Tickets = 4;

    /// <summary>A semaphore of the test's name on the first node. Each is an object of its own.</summary>
    private IDistributedSemaphore Mine => SemaphoresOf(First).CreateSemaphore(Name, Tickets);

    /// <summary>The same semaphore on the other node.</summary>
    private IDistributedSemaphore Theirs => SemaphoresOf(Second).CreateSemaphore(Name, Tickets);

    private static IDistributedSemaphoreProvider SemaphoresOf(Node node) => node.Services.GetRequiredService<IDistributedSemaphoreProvider>();

    [Fact]
    public void MaxCount_is_the_number_that_the_semaphore_was_created_with_and_has_a_range()
    {
        foreach (var maxCount in (int[])[1, 5, 23, LockCapacity.MaxPermits])
        {
            Assert.Equal((Name, maxCount), (SemaphoresOf(First).CreateSemaphore(Name, maxCount).Name, SemaphoresOf(First).CreateSemaphore(Name, maxCount).MaxCount));
        }

        foreach (var maxCount in (int[])[0, -1, int.MinValue, LockCapacity.MaxPermits + 1, int.MaxValue])
        {
            Assert.Equal(maxCount, Assert.Throws<ArgumentOutOfRangeException>(nameof(maxCount), () => SemaphoresOf(First).CreateSemaphore(Name, maxCount)).ActualValue);
        }

        Assert.Throws<ArgumentNullException>("name", () => SemaphoresOf(First).CreateSemaphore(null!, 1));
    }

    [Fact]
    [Promise("G1")]
    public async Task A_semaphore_has_as_many_holders_as_tickets_whichever_member_acquires_them()
    {
        var handles = new List<IAsyncDisposable>();
        foreach (var (number, way) in AllWays.Of(Mine).Index())
        {
            // Each ticket that is taken on one node is one less on the other.
            await using (await AcquireAsync(Theirs))
            {
                Assert.Equal(number + 1, (await InspectAsync()).Holders.Count);
            }

            handles.Add(Assert.IsAssignableFrom<IAsyncDisposable>(await way.BeginAsync(Bound, Cancellation).WaitAsync(Bound, Cancellation)));
        }

        Assert.Equal(Enumerable.Range(0, Tickets).Select(permit => (int?)permit), handles.Select(handle => ((IDistributedSynchronizationHandle)handle).GetLease()!.Permit).Order());
        Assert.Null(await Theirs.TryAcquireAsync(cancellationToken: Cancellation));
        Assert.Null(await Mine.TryAcquireAsync(cancellationToken: Cancellation));

        await handles[1].DisposeAsync();
        await using (await AcquireAsync(Theirs))
        {
            // Once is enough: what another has by now is not released by a handle that was disposed.
            await handles[1].DisposeAsync();
            Assert.Null(await Mine.TryAcquireAsync(cancellationToken: Cancellation));
            Assert.Throws<ObjectDisposedException>(() => ((IDistributedSynchronizationHandle)handles[1]).HandleLostToken);
        }

        await Task.WhenAll(handles.Select(handle => handle.DisposeAsync().AsTask()));
        await AssertNothingLeftAsync();
    }

    [Fact]
    [Promise("G1")]
    public async Task Many_at_once_use_all_tickets_and_no_more()
    {
        var (inside, most) = (0, 0);
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 40),
            AtOnce(40),
            async (i, _) =>
            {
                var semaphore = i % 3 == 0 ? Theirs : Mine;
                await using var handle = i % 4 == 0 ? await BlockAsync(() => semaphore.Acquire(LongTime, Cancellation)) : await semaphore.AcquireAsync(LongTime, Cancellation);
                var now = Interlocked.Increment(ref inside);
                most = Math.Max(most, now);
                if (now == Tickets)
                {
                    full.TrySetResult();
                }

                // The first of them wait for one another, and so see whether all of them fit.
                await full.Task.WaitAsync(Bound, Cancellation);
                Interlocked.Decrement(ref inside);
            }).WaitAsync(3 * Bound, Cancellation);
        Assert.Equal(Tickets, most);
        await AssertNothingLeftAsync();
    }

    [Fact]
    [Promise("G8")]
    public async Task A_wait_for_a_ticket_ends_with_its_time_or_its_token_and_leaves_the_queue()
    {
        var semaphore = SemaphoresOf(First).CreateSemaphore(Name, 1);
        await using (await AcquireAsync(SemaphoresOf(Second).CreateSemaphore(Name, 1)))
        {
            await AssertWaitsEndAsync(AllWays.Of(semaphore));
        }

        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_semaphore_is_the_one_that_the_projects_own_interface_gives()
    {
        var own = Second.Provider.GetSemaphore(Name, 1);
        await using (await own.AcquireAsync(Cancellation))
        {
            Assert.Null(await SemaphoresOf(First).CreateSemaphore(Name, 1).TryAcquireAsync(cancellationToken: Cancellation));

            // DistributedLock has it that these are undefined and unpredictable.
            Assert.Equal(LockCapacity.Semaphore(1), (await Assert.ThrowsAsync<LockStoreException>(() => Mine.TryAcquireAsync(cancellationToken: Cancellation).AsTask())).InUseAs);
            Assert.Equal(LockCapacity.Semaphore(1), (await Assert.ThrowsAsync<LockStoreException>(() => BlockAsync(() => Mine.Acquire(Bound, Cancellation)))).InUseAs);
        }

        await using (await AcquireAsync(SemaphoresOf(First).CreateSemaphore(Name, 1)))
        {
            Assert.Null(await own.TryAcquireAsync(Cancellation));
        }
    }

    [Fact]
    public async Task Any_text_is_the_name_of_a_semaphore()
    {
        foreach (var name in (string[])[string.Empty, "{order}:42" + Name, new string('o', 1000) + Name])
        {
            var semaphore = SemaphoresOf(First).CreateSemaphore(name, 1);
            await using var handle = await AcquireAsync(semaphore);
            Assert.Null(await SemaphoresOf(Second).CreateSemaphore(name, 1).TryAcquireAsync(cancellationToken: Cancellation));
            Assert.Equal(semaphore.Name, handle.GetLease()!.LockName);
        }
    }

    [Fact]
    public async Task The_extension_methods_of_a_provider_work_also_those_for_several_semaphores()
    {
        var semaphores = SemaphoresOf(First);
        await using (await semaphores.AcquireSemaphoreAsync(Name, 1, Bound, Cancellation))
        {
            Assert.Null(await BlockAsync(() => SemaphoresOf(Second).TryAcquireSemaphore(Name, 1, cancellationToken: Cancellation)));
            Assert.Null(await semaphores.TryAcquireAllSemaphoresAsync([Name + "-a", Name], 1, cancellationToken: Cancellation));
        }

        await using (await semaphores.AcquireAllSemaphoresAsync([Name + "-a", Name], 1, Bound, Cancellation))
        {
            Assert.Null(await SemaphoresOf(Second).TryAcquireSemaphoreAsync(Name + "-a", 1, cancellationToken: Cancellation));
        }

        await AssertNothingLeftAsync();
    }

    private static async Task<IDistributedSynchronizationHandle> AcquireAsync(IDistributedSemaphore semaphore) =>
        await semaphore.AcquireAsync(LongTime, Cancellation).AsTask().WaitAsync(Bound, Cancellation);
}
