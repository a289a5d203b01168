using Coordination.DistributedLock.Tests.Ways;
using Medallion.Threading;

namespace Coordination.DistributedLock.Tests.Contract;

/// <content>Handles that are upgraded: what that takes, what it returns and throws, and what is left of it.</content>
public abstract partial class DistributedReaderWriterLockContract
{
    private static readonly int UpgradeCount = AllWays.ToUpgrade(null!).Count;

    [Fact]
    [Promise("G1", "G3")]
    public async Task A_reader_goes_on_to_write_and_its_disposal_releases_both()
    {
        for (var i = 0; i < UpgradeCount; i++)
        {
            var reader = await Theirs.AcquireReadLockAsync(Bound, Cancellation);
            var handle = await AcquireUpgradeableAsync();
            Assert.False(await handle.TryUpgradeToWriteLockAsync(cancellationToken: Cancellation));
            var read = handle.GetLease()!;
            await reader.DisposeAsync();

            Assert.Same(handle, await AllWays.ToUpgrade(handle)[i].BeginAsync(Bound, Cancellation).WaitAsync(Bound, Cancellation));
            Assert.True(handle.GetLease()!.FencingToken > read.FencingToken);
            Assert.Equal([LockShareKind.UpgradeableRead, LockShareKind.Upgrade], (await InspectAsync()).Holders.Select(holder => holder.Share!.Kind));
            var reading = Theirs.AcquireReadLockAsync(cancellationToken: Cancellation).AsTask();
            await UntilWaitedForAsync();
            Assert.False(reading.IsCompleted);

            await (i % 2 == 0 ? BlockAsync(handle.Dispose) : handle.DisposeAsync().AsTask());
            Assert.Equal((LeaseState.Released, LeaseState.Released), (read.State, handle.GetLease()!.State));
            await (await reading.WaitAsync(Bound, Cancellation)).DisposeAsync();
            await handle.DisposeAsync();
            await AssertNothingLeftAsync();
        }
    }

    [Fact]
    [Promise("G8")]
    public async Task An_upgrade_that_is_not_granted_leaves_the_handle_a_reader_that_can_ask_again()
    {
        await using var handle = await AcquireUpgradeableAsync();
        var read = handle.GetLease()!;
        await using (await Theirs.AcquireReadLockAsync(Bound, Cancellation))
        {
            // One after another: a handle is upgraded by one call at a time.
            foreach (var way in AllWays.ToUpgrade(handle))
            {
                await AssertWaitsEndAsync([way]);
            }

            Assert.Equal((read.FencingToken, LeaseState.Held), (handle.GetLease()!.FencingToken, handle.GetLease()!.State));
            Assert.Null(await LocksOf(Second).TryAcquireUpgradeableReadLockAsync(Name, cancellationToken: Cancellation));
        }

        await handle.UpgradeToWriteLockAsync(Bound, Cancellation);
        Assert.Null(await Theirs.TryAcquireReadLockAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task A_handle_is_upgraded_once_and_by_one_call_at_a_time()
    {
        await using var handle = await AcquireUpgradeableAsync();
        var reader = await Theirs.AcquireReadLockAsync(Bound, Cancellation);
        var upgrading = handle.UpgradeToWriteLockAsync(cancellationToken: Cancellation).AsTask();
        await UntilWaitedForAsync();
        AssertRefused();
        await reader.DisposeAsync();
        await upgrading.WaitAsync(Bound, Cancellation);
        AssertRefused();
        Assert.Equal(LeaseState.Held, handle.GetLease()!.State);

        // Thrown at the caller, whatever the token says.
        void AssertRefused() => Assert.All(AllWays.ToUpgrade(handle), way => Assert.Throws<InvalidOperationException>(() => way.Call(TimeSpan.Zero, new CancellationToken(canceled: true))));
    }

    [Fact]
    public async Task A_handle_that_was_disposed_cannot_be_upgraded()
    {
        var handle = await AcquireUpgradeableAsync();
        await handle.DisposeAsync();
        await BlockAsync(handle.Dispose);
        Assert.All(AllWays.ToUpgrade(handle), way =>
        {
            Assert.Throws<ObjectDisposedException>(() => way.Call(TimeSpan.Zero, new CancellationToken(canceled: true)));
            Assert.Throws<ArgumentOutOfRangeException>("timeout", () => way.Call(TimeSpan.FromSeconds(-2), Cancellation));
        });
        Assert.Throws<ObjectDisposedException>(() => handle.HandleLostToken);
        await AssertNothingLeftAsync();
    }

    [Fact]
    [Promise("G8")]
    public async Task Disposal_ends_an_upgrade_that_is_waited_for_and_leaves_nothing()
    {
        var reader = await Theirs.AcquireReadLockAsync(Bound, Cancellation);
        for (var i = 0; i < UpgradeCount; i++)
        {
            var handle = await AcquireUpgradeableAsync();
            var upgrading = AllWays.ToUpgrade(handle)[i].BeginAsync(LongTime, Cancellation);
            await UntilWaitedForAsync();
            await (i % 2 == 0 ? BlockAsync(handle.Dispose) : handle.DisposeAsync().AsTask().WaitAsync(Bound, Cancellation));
            await Assert.ThrowsAsync<ObjectDisposedException>(() => upgrading.WaitAsync(Bound, Cancellation));
            await UntilNobodyWaitsAsync();
        }

        await reader.DisposeAsync();
        await AssertNothingLeftAsync();
    }

    public static TheoryData<bool> Either => [true, false];

    [Theory]
    [Failure("F18")]
    [MemberData(nameof(Either))]
    public async Task The_loss_of_either_lease_cancels_the_token_that_was_read_before_the_upgrade(bool ofWrite)
    {
        var handle = await AcquireUpgradeableAsync();
        var read = handle.GetLease()!;
        var lost = handle.HandleLostToken;
        await handle.UpgradeToWriteLockAsync(Bound, Cancellation);
        Assert.Equal(lost, handle.HandleLostToken);
        Assert.True(lost is { CanBeCanceled: true, IsCancellationRequested: false });
        var disposed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lost.Register(() =>
        {
            // A handle can be disposed by what is told of its loss.
            handle.Dispose();
            disposed.SetResult();
        });

        Assert.True(await Second.Inspector.RevokeAsync(Name, (ofWrite ? handle.GetLease()! : read).FencingToken, Cancellation));
        await disposed.Task.WaitAsync(Bound, Cancellation);
        Assert.Throws<ObjectDisposedException>(() => handle.HandleLostToken);
        Assert.Equal(
            ofWrite ? (LeaseState.Released, LeaseState.Lost) : (LeaseState.Lost, LeaseState.Released),
            (read.State, handle.GetLease()!.State));
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task The_token_of_a_handle_that_was_upgraded_is_not_cancelled_by_a_release()
    {
        var handle = await AcquireUpgradeableAsync();
        var lost = handle.HandleLostToken;
        await handle.UpgradeToWriteLockAsync(Bound, Cancellation);
        await handle.DisposeAsync();
        Assert.False(lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_reader_that_was_lost_cannot_go_on_to_write()
    {
        var handle = await AcquireUpgradeableAsync();
        Assert.True(await Second.Inspector.RevokeAsync(Name, handle.GetLease()!.FencingToken, Cancellation));
        foreach (var way in AllWays.ToUpgrade(handle))
        {
            await Assert.ThrowsAsync<LeaseLostException>(() => way.BeginAsync(Bound, Cancellation).WaitAsync(Bound, Cancellation));
        }

        await handle.DisposeAsync();
        await AssertNothingLeftAsync();
    }

    private async Task<IDistributedLockUpgradeableHandle> AcquireUpgradeableAsync() =>
        await Mine.AcquireUpgradeableReadLockAsync(LongTime, Cancellation).AsTask().WaitAsync(Bound, Cancellation);
}
