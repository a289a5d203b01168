using Coordination.DistributedLock.Tests.Ways;
using Coordination.TestKit.Nodes;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

/// <summary>What code that was written for DistributedLock relies on of a lock for readers and writers. A store's tests inherit it.</summary>
public abstract partial class DistributedReaderWriterLockContract(SharedStore store) : AdapterContract(store)
{
    /// <summary>A lock of the test's name on the first node. Each is an object of its own.</summary>
    private IDistributedUpgradeableReaderWriterLock Mine => LocksOf(First).CreateUpgradeableReaderWriterLock(Name);

    /// <summary>The same lock on the other node, as a provider of the other interface makes it.</summary>
    private IDistributedReaderWriterLock Theirs => Second.Services.GetRequiredService<IDistributedReaderWriterLockProvider>().CreateReaderWriterLock(Name);

    private static IDistributedUpgradeableReaderWriterLockProvider LocksOf(Node node) => node.Services.GetRequiredService<IDistributedUpgradeableReaderWriterLockProvider>();

    [Fact]
    public async Task Each_member_acquires_what_its_name_says()
    {
        await AssertAcquiresAsync(LockShareKind.Read, AllWays.ToRead(Mine));
        await AssertAcquiresAsync(LockShareKind.UpgradeableRead, AllWays.ToReadUpgradeably(Mine));
        await AssertAcquiresAsync(LockShareKind.Write, AllWays.ToWrite(Mine));
        Assert.Equal((Name, Name), (Mine.Name, Theirs.Name));
        Assert.Throws<ArgumentNullException>("name", () => LocksOf(First).CreateReaderWriterLock(null!));
        Assert.Throws<ArgumentNullException>("name", () => LocksOf(First).CreateUpgradeableReaderWriterLock(null!));
    }

    private async Task AssertAcquiresAsync(LockShareKind kind, IReadOnlyList<Way> ways)
    {
        foreach (var way in ways)
        {
            await using var handle = await way.BeginAsync(Bound, Cancellation).WaitAsync(Bound, Cancellation);
            Assert.True((await InspectAsync()).Holder?.Share?.Kind == kind, $"{way} acquires what is for {kind}.");
        }
    }

    [Fact]
    [Promise("G1")]
    public async Task Many_read_beside_one_another_and_one_writes_alone()
    {
        var first = await Mine.TryAcquireReadLockAsync(cancellationToken: Cancellation);
        var second = await BlockAsync(() => Theirs.TryAcquireReadLock(cancellationToken: Cancellation));
        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.Null(await Mine.TryAcquireWriteLockAsync(cancellationToken: Cancellation));

        var writing = Mine.AcquireWriteLockAsync(cancellationToken: Cancellation).AsTask();
        await UntilWaitedForAsync();
        await first.DisposeAsync();
        Assert.Equal(1, (await InspectAsync()).WaiterCount);
        Assert.False(writing.IsCompleted);
        await second.DisposeAsync();
        await using (await writing.WaitAsync(Bound, Cancellation))
        {
            Assert.Null(await Theirs.TryAcquireWriteLockAsync(cancellationToken: Cancellation));
            Assert.Null(await Theirs.TryAcquireReadLockAsync(cancellationToken: Cancellation));
            Assert.Null(await Mine.TryAcquireUpgradeableReadLockAsync(cancellationToken: Cancellation));
        }

        await using var next = await Theirs.TryAcquireWriteLockAsync(cancellationToken: Cancellation);
        Assert.NotNull(next);
    }

    [Fact]
    [Promise("G9")]
    public async Task A_writer_that_waits_is_not_overtaken_by_readers_that_come_later()
    {
        var reader = await Mine.AcquireReadLockAsync(Bound, Cancellation);
        var writing = Theirs.AcquireWriteLockAsync(cancellationToken: Cancellation).AsTask();
        await UntilWaitedForAsync();
        Assert.Null(await Mine.TryAcquireReadLockAsync(cancellationToken: Cancellation));

        var reading = Mine.AcquireReadLockAsync(cancellationToken: Cancellation).AsTask();
        await UntilWaitedForAsync(waiters: 2);
        await reader.DisposeAsync();
        var writer = await writing.WaitAsync(Bound, Cancellation);
        Assert.False(reading.IsCompleted);
        await writer.DisposeAsync();
        await (await reading.WaitAsync(Bound, Cancellation)).DisposeAsync();
        await AssertNothingLeftAsync();
    }

    [Fact]
    [Promise("G8")]
    public async Task A_wait_to_read_or_write_ends_with_its_time_or_its_token_and_leaves_the_queue()
    {
        await using (await Theirs.AcquireWriteLockAsync(Bound, Cancellation))
        {
            await AssertWaitsEndAsync([.. AllWays.ToRead(Mine), .. AllWays.ToReadUpgradeably(Mine), .. AllWays.ToWrite(Mine)]);
        }

        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task One_reader_at_a_time_may_go_on_to_write_and_others_read_beside_it()
    {
        await using var before = await Theirs.AcquireReadLockAsync(Bound, Cancellation);
        await using (var upgradeable = await Mine.TryAcquireUpgradeableReadLockAsync(cancellationToken: Cancellation))
        {
            Assert.NotNull(upgradeable);
            await using var beside = await Theirs.TryAcquireReadLockAsync(cancellationToken: Cancellation);
            Assert.NotNull(beside);
            Assert.Null(await BlockAsync(() => LocksOf(Second).TryAcquireUpgradeableReadLock(Name, cancellationToken: Cancellation)));
            Assert.Null(await Theirs.TryAcquireWriteLockAsync(cancellationToken: Cancellation));
        }

        await using var next = await LocksOf(Second).TryAcquireUpgradeableReadLockAsync(Name, cancellationToken: Cancellation);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task A_lock_is_the_one_that_the_projects_own_interface_gives()
    {
        await using (await Second.Provider.GetReaderWriterLock(Name).Write.AcquireAsync(Cancellation))
        {
            Assert.Null(await Mine.TryAcquireReadLockAsync(cancellationToken: Cancellation));
        }

        await using (await Mine.AcquireReadLockAsync(Bound, Cancellation))
        {
            var asLock = First.Services.GetRequiredService<IDistributedLockProvider>().CreateLock(Name);
            Assert.Equal(LockCapacity.ReaderWriter, (await Assert.ThrowsAsync<LockStoreException>(() => asLock.TryAcquireAsync(cancellationToken: Cancellation).AsTask())).InUseAs);
        }
    }

    [Fact]
    public async Task Any_text_is_the_name_of_a_lock_for_readers_and_writers()
    {
        foreach (var name in (string[])[string.Empty, "{order}:42" + Name, new string('o', 1000) + Name])
        {
            await using var handle = await LocksOf(First).AcquireReadLockAsync(name, Bound, Cancellation);
            Assert.Null(await LocksOf(Second).TryAcquireWriteLockAsync(name, cancellationToken: Cancellation));
            Assert.Equal(LocksOf(Second).CreateReaderWriterLock(name).Name, handle.GetLease()!.LockName);
        }
    }

    [Fact]
    public async Task Several_locks_are_read_or_written_together_or_not_at_all()
    {
        string[] names = [Name + "-a", Name];
        await using (await LocksOf(First).AcquireAllReadLocksAsync(names, Bound, Cancellation))
        {
            Assert.Null(await LocksOf(Second).TryAcquireAllWriteLocksAsync(names, cancellationToken: Cancellation));
            await using var beside = await LocksOf(Second).TryAcquireAllReadLocksAsync(names, cancellationToken: Cancellation);
            Assert.NotNull(beside);
        }

        await BlockAsync(() => LocksOf(First).AcquireAllWriteLocks(names, Bound, Cancellation).Dispose());
        await AssertNothingLeftAsync();
    }
}
