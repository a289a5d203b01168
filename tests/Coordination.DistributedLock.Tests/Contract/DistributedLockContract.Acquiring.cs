using Medallion.Threading;

namespace Coordination.DistributedLock.Tests.Contract;

/// <content>The four ways to acquire: what they take, what they return and what they throw.</content>
public abstract partial class DistributedLockContract
{
    [Fact]
    public async Task A_lock_has_one_holder_and_is_free_after_its_release_by_the_synchronous_members()
    {
        await BlockAsync(() =>
        {
            using (var handle = Mine.TryAcquire(cancellationToken: Cancellation))
            {
                Assert.NotNull(handle);
                Assert.Null(Theirs.TryAcquire(cancellationToken: Cancellation));
                using var other = LocksOf(First).CreateLock(Name + "-other").TryAcquire(cancellationToken: Cancellation);
                Assert.NotNull(other);
            }

            using (Theirs.Acquire(cancellationToken: Cancellation))
            {
                Assert.Null(Mine.TryAcquire(cancellationToken: Cancellation));
            }
        });
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_lock_has_one_holder_and_is_free_after_its_release_by_the_asynchronous_members()
    {
        await using (var handle = await Mine.TryAcquireAsync(cancellationToken: Cancellation))
        {
            Assert.NotNull(handle);
            Assert.Null(await Theirs.TryAcquireAsync(cancellationToken: Cancellation));
            await using var other = await LocksOf(First).CreateLock(Name + "-other").TryAcquireAsync(cancellationToken: Cancellation);
            Assert.NotNull(other);
        }

        await using (await Theirs.AcquireAsync(cancellationToken: Cancellation).AsTask().WaitAsync(Bound, Cancellation))
        {
            Assert.Null(await Mine.TryAcquireAsync(cancellationToken: Cancellation));
        }

        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_lock_is_the_one_that_the_projects_own_interface_gives()
    {
        await using (await First.GetLock(Name).AcquireAsync(Cancellation))
        {
            Assert.Null(await Theirs.TryAcquireAsync(cancellationToken: Cancellation));
        }

        await using (await AcquireAsync(Theirs))
        {
            Assert.Null(await First.GetLock(Name).TryAcquireAsync(Cancellation));
        }
    }

    [Fact]
    public async Task A_lock_is_not_re_entered()
    {
        var @lock = Mine;
        var handle = await AcquireAsync(@lock);
        Assert.Null(await @lock.TryAcquireAsync(cancellationToken: Cancellation));
        Assert.Null(await BlockAsync(() => @lock.TryAcquire(cancellationToken: Cancellation)));

        var again = @lock.AcquireAsync(cancellationToken: Cancellation).AsTask();
        await UntilWaitedForAsync();
        Assert.False(again.IsCompleted);
        await handle.DisposeAsync();
        await (await again.WaitAsync(Bound, Cancellation)).DisposeAsync();
    }

    public static TheoryData<TimeSpan> BadTimeouts =>
    [
        TimeSpan.FromSeconds(-2), TimeSpan.FromMilliseconds(-2), TimeSpan.FromMilliseconds(int.MaxValue + 1L), TimeSpan.FromSeconds(int.MaxValue), TimeSpan.MinValue, TimeSpan.MaxValue,
    ];

    [Theory]
    [MemberData(nameof(BadTimeouts))]
    public void A_timeout_that_is_out_of_range_is_thrown_at_the_caller(TimeSpan timeout)
    {
        // Also where the token is cancelled already, and where nobody awaits.
        var cancelled = new CancellationToken(canceled: true);
        AssertRefused(() => Mine.TryAcquire(timeout, cancelled));
        AssertRefused(() => Mine.Acquire(timeout, cancelled));
        AssertRefused(() => _ = Mine.TryAcquireAsync(timeout, cancelled).AsTask());
        AssertRefused(() => _ = Mine.AcquireAsync(timeout, cancelled).AsTask());

        void AssertRefused(Action call) => Assert.Equal(timeout, Assert.Throws<ArgumentOutOfRangeException>(nameof(timeout), call).ActualValue);
    }

    public static TheoryData<TimeSpan?> GoodTimeouts => new(
        default(TimeSpan?), TimeSpan.Zero, Timeout.InfiniteTimeSpan, TimeSpan.FromMilliseconds(int.MaxValue), TimeSpan.FromTicks(1), TimeSpan.FromTicks(-1));

    [Theory]
    [MemberData(nameof(GoodTimeouts))]
    public async Task A_timeout_in_range_is_accepted(TimeSpan? timeout)
    {
        await (await Mine.AcquireAsync(timeout, Cancellation).AsTask().WaitAsync(Bound, Cancellation)).DisposeAsync();
        await BlockAsync(() => Mine.Acquire(timeout, Cancellation).Dispose());
        if (timeout is { } given)
        {
            await (await Mine.TryAcquireAsync(given, Cancellation).AsTask().WaitAsync(Bound, Cancellation))!.DisposeAsync();
            await BlockAsync(() => Mine.TryAcquire(given, Cancellation)!.Dispose());
        }
    }

    [Fact]
    public async Task When_the_time_is_up_TryAcquire_returns_null_and_Acquire_throws()
    {
        await using (await AcquireAsync(Theirs))
        {
            Assert.Null(await Mine.TryAcquireAsync(Moment, Cancellation).AsTask().WaitAsync(Bound, Cancellation));
            Assert.Null(await BlockAsync(() => Mine.TryAcquire(Moment, Cancellation)));
            var errors = new[]
            {
                await Assert.ThrowsAsync<TimeoutException>(() => Mine.AcquireAsync(Moment, Cancellation).AsTask().WaitAsync(Bound, Cancellation)),
                await Assert.ThrowsAsync<TimeoutException>(() => BlockAsync(() => Mine.Acquire(Moment, Cancellation))),
                await Assert.ThrowsAsync<TimeoutException>(() => Mine.AcquireAsync(TimeSpan.Zero, Cancellation).AsTask().WaitAsync(Bound, Cancellation)),
                await Assert.ThrowsAsync<TimeoutException>(() => BlockAsync(() => Mine.Acquire(TimeSpan.Zero, Cancellation))),
            };
            Assert.All(errors, error => Assert.Contains(Name, error.Message, StringComparison.Ordinal));
            await UntilNobodyWaitsAsync();
        }

        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task With_no_timeout_TryAcquire_tries_once_and_Acquire_waits()
    {
        var handle = await AcquireAsync(Theirs);
        Assert.Null(await Mine.TryAcquireAsync(cancellationToken: Cancellation).AsTask().WaitAsync(Bound, Cancellation));
        Assert.Null(await BlockAsync(() => Mine.TryAcquire(cancellationToken: Cancellation)));

        // A fraction of a millisecond is none, also below zero, where a whole one means for ever.
        Assert.Null(await Mine.TryAcquireAsync(TimeSpan.FromTicks(-1), Cancellation).AsTask().WaitAsync(Bound, Cancellation));

        var asynchronous = Mine.AcquireAsync(cancellationToken: Cancellation).AsTask();
        await UntilWaitedForAsync();
        var synchronous = BlockAsync(() => Mine.Acquire(cancellationToken: Cancellation));
        Assert.False(asynchronous.IsCompleted || synchronous.IsCompleted);
        await handle.DisposeAsync();
        var both = new List<Task<IDistributedSynchronizationHandle>> { asynchronous, synchronous };
        while (both.Count > 0)
        {
            var next = await Task.WhenAny(both).WaitAsync(Bound, Cancellation);
            both.Remove(next);
            await (await next).DisposeAsync();
        }
    }

    [Fact]
    public async Task A_token_that_is_cancelled_already_ends_the_call_before_anything()
    {
        var cancelled = new CancellationToken(canceled: true);
        Assert.ThrowsAny<OperationCanceledException>(() => Mine.Acquire(cancellationToken: cancelled));
        Assert.ThrowsAny<OperationCanceledException>(() => Mine.TryAcquire(cancellationToken: cancelled));

        // Not thrown at the caller: it comes out of the task.
        Task[] tasks = [Mine.AcquireAsync(cancellationToken: cancelled).AsTask(), Mine.TryAcquireAsync(cancellationToken: cancelled).AsTask(), Mine.TryAcquireAsync(LongTime, cancelled).AsTask()];
        Assert.All(tasks, task => Assert.True(task.IsCanceled));
        await AssertNothingLeftAsync();
    }

    [Fact]
    [Promise("G8")]
    public async Task A_wait_that_is_cancelled_ends_as_cancelled_and_leaves_the_queue()
    {
        var handle = await AcquireAsync(Theirs);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var asynchronous = Mine.AcquireAsync(cancellationToken: cancellation.Token).AsTask();
        var synchronous = BlockAsync(() => Mine.TryAcquire(LongTime, cancellation.Token));
        await UntilWaitedForAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asynchronous.WaitAsync(Bound, Cancellation));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => synchronous);
        Assert.True(asynchronous.IsCanceled);
        await UntilNobodyWaitsAsync();
        await handle.DisposeAsync();
        await AssertNothingLeftAsync();
    }

    [Fact]
    [Promise("G1")]
    public async Task Many_at_once_synchronous_or_not_on_two_nodes_never_hold_it_together()
    {
        var (inside, most) = (0, 0);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 60),
            AtOnce(60),
            async (i, _) =>
            {
                var @lock = i % 3 == 0 ? Theirs : Mine;
                var handle = i % 2 == 0 ? await @lock.AcquireAsync(cancellationToken: Cancellation) : await BlockAsync(() => @lock.Acquire(cancellationToken: Cancellation));
                most = Math.Max(most, Interlocked.Increment(ref inside));
                await Task.Yield();
                Interlocked.Decrement(ref inside);
                await handle.DisposeAsync();
            }).WaitAsync(3 * Bound, Cancellation);
        Assert.Equal(1, most);
        await AssertNothingLeftAsync();
    }

    public static TheoryData<string> AnyNames => new(
        "", " ", "a", "{order}:42", "line\nbreak", "half \ud83d a pair", new string('a', 1000), new string('{', 1000), @"\\\\");

    [Theory]
    [MemberData(nameof(AnyNames))]
    public async Task Any_text_is_a_name(string text)
    {
        // The test's own name first, so that tests may share a server; by itself an empty text would be nobody's.
        var name = text.Length == 0 ? text : text + Name;
        var @lock = LocksOf(First).CreateLock(name);
        await using (await @lock.AcquireAsync(Bound, Cancellation))
        {
            Assert.Null(await LocksOf(Second).CreateLock(name).TryAcquireAsync(cancellationToken: Cancellation));
        }

        Assert.Equal(@lock.Name, LocksOf(Second).CreateLock(name).Name);
    }

    [Fact]
    public async Task Names_tell_upper_case_from_lower_case()
    {
        await using var lower = await LocksOf(First).CreateLock(Name + "a").AcquireAsync(Bound, Cancellation);
        await using var upper = await LocksOf(Second).CreateLock(Name + "A").TryAcquireAsync(cancellationToken: Cancellation);
        Assert.NotNull(upper);
    }

    [Fact]
    public void No_name_is_refused() => Assert.Throws<ArgumentNullException>("name", () => LocksOf(First).CreateLock(null!));
}
