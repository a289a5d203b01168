using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Readers and writers, and those who go from one to the other.</content>
public abstract partial class LockShareContract
{
    [Fact]
    [Promise("G1")]
    public async Task Many_read_at_a_time_and_one_writes_alone()
    {
        var (first, second) = (ReaderWriter(StartNode()), ReaderWriter(StartNode()));
        Assert.Equal(Name, first.Name);
        var readers = new[] { await AcquireAsync(first.Read), await AcquireAsync(first.Read), await AcquireAsync(second.Read), await AcquireAsync(second.UpgradeableRead) };
        Assert.All(readers, lease => Assert.Null(lease.Permit));
        Assert.Null(await TryAsync(first.UpgradeableRead));
        Assert.Null(await TryAsync(first.Write));
        await AssertHeldByAsync(readers);
        foreach (var lease in readers)
        {
            await ReleaseAsync(lease);
        }

        await using (var writing = await AcquireAsync(second.Write))
        {
            Assert.True(writing.FencingToken > readers[3].FencingToken);
            Assert.Null(await TryAsync(first.Read));
            Assert.Null(await TryAsync(first.UpgradeableRead));
            Assert.Null(await TryAsync(first.Write));
        }

        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G9")]
    public async Task A_writer_that_waits_is_served_before_readers_that_came_later_and_they_together()
    {
        var (first, second, third) = (ReaderWriter(StartNode()), ReaderWriter(StartNode()), ReaderWriter(StartNode()));
        var reading = await AcquireAsync(first.Read);
        var writing = await QueueAsync(second.Write);
        var readers = new[] { await QueueAsync(first.Read), await QueueAsync(third.Read), await QueueAsync(third.UpgradeableRead) };
        Assert.Null(await TryAsync(third.Read));
        Assert.All(readers, call => Assert.False(call.IsCompleted));

        await ReleaseAsync(reading);
        var writer = await writing.WaitAsync(Bound, Cancellation);
        Assert.All(readers, call => Assert.False(call.IsCompleted));
        await AssertHeldByAsync(writer);
        await ReleaseAsync(writer);
        var granted = await Task.WhenAll(readers).WaitAsync(Bound, Cancellation);
        await AssertHeldByAsync(granted);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_writer_that_gives_up_lets_in_the_readers_behind_it()
    {
        var (first, second) = (ReaderWriter(StartNode()), ReaderWriter(StartNode()));
        var reading = await AcquireAsync(first.Read);
        using var cancelling = new CancellationTokenSource();
        var writing = await QueueAsync(second.Write, cancelling.Token);
        var behind = await QueueAsync(first.Read);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(Bound, Cancellation));
        await AssertHeldByAsync(reading, await behind.WaitAsync(Bound, Cancellation));
    }

    [Fact]
    [Promise("G1", "G3")]
    public async Task An_upgradeable_read_goes_on_to_write_when_other_readers_have_gone_and_reads_on()
    {
        var (first, second) = (ReaderWriter(StartNode()), ReaderWriter(StartNode()));
        var reading = await AcquireAsync(first.UpgradeableRead);
        var other = await AcquireAsync(second.Read);
        Assert.Null(await TryAsync(first.Upgrade(reading)));
        var writer = await QueueAsync(second.Write);
        var upgrading = await QueueAsync(first.Upgrade(reading));
        Assert.Null(await TryAsync(second.Read));
        await ReleaseAsync(other);

        // Before the writer, which came first.
        var upgrade = await upgrading.WaitAsync(Bound, Cancellation);
        Assert.True(upgrade.FencingToken > reading.FencingToken);
        await AssertHeldByAsync(reading, upgrade);
        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(upgrade));
        await AssertHeldByAsync(reading);
        Assert.False(writer.IsCompleted);
        await ReleaseAsync(reading);
        await ReleaseAsync(await writer.WaitAsync(Bound, Cancellation));
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    public async Task An_upgrade_may_be_had_again_after_each_release()
    {
        var (first, second) = (ReaderWriter(StartNode()), ReaderWriter(StartNode()));
        await using var reading = await AcquireAsync(first.UpgradeableRead);
        for (var i = 0; i < 3; i++)
        {
            await using (await AcquireAsync(first.Upgrade(reading)))
            {
                Assert.Null(await TryAsync(second.Read));
            }

            await using var beside = await AcquireAsync(second.Read);
            Assert.Null(await TryAsync(first.Upgrade(reading)));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_upgrade_whose_read_is_gone_says_that_it_is_lost(bool waits)
    {
        var (node, second) = (StartNode(), StartNode());
        var prices = ReaderWriter(node);
        var reading = await AcquireAsync(prices.UpgradeableRead);
        var other = await AcquireAsync(ReaderWriter(second).Read);
        var upgrade = prices.Upgrade(reading);
        var waiting = waits ? await QueueAsync(upgrade) : null;
        Assert.True(await Observer.Inspector.RevokeAsync(Name, reading.FencingToken, Cancellation));
        if (waiting is not null)
        {
            await Assert.ThrowsAsync<LeaseLostException>(() => waiting.WaitAsync(Bound, Cancellation));
        }

        await Assert.ThrowsAsync<LeaseLostException>(() => TryAsync(upgrade));
        await Assert.ThrowsAsync<LeaseLostException>(() => AcquireAsync(upgrade));
        await AssertHeldByAsync(other);
        await ReleaseAsync(other);
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    public async Task Only_a_lease_of_its_upgradeable_read_can_be_upgraded()
    {
        var (node, second) = (StartNode(), StartNode());
        var prices = ReaderWriter(node);
        var reading = await AcquireAsync(prices.Read);
        var elsewhere = await AcquireAsync(node.Provider.GetReaderWriterLock(Name + "-other").UpgradeableRead);
        var anothers = await AcquireAsync(ReaderWriter(second).UpgradeableRead);
        Assert.All([reading, elsewhere, anothers], lease => Assert.Throws<ArgumentException>(() => prices.Upgrade(lease)));
        Assert.Throws<ArgumentNullException>(() => prices.Upgrade(null!));
    }

    [Fact]
    public async Task An_inspector_sees_who_reads_and_who_waits_to_write()
    {
        var (node, second) = (StartNode(), StartNode());
        var readers = new[] { await AcquireAsync(ReaderWriter(node).Read), await AcquireAsync(ReaderWriter(node).UpgradeableRead) };
        var writing = await QueueAsync(ReaderWriter(second).Write);
        var inspection = await InspectAsync();
        Assert.Equal(LockCapacity.ReaderWriter, inspection.Capacity);
        Assert.Equal([LockShare.Read, LockShare.UpgradeableRead], inspection.Holders.OrderBy(holder => holder.FencingToken).Select(holder => holder.Share));
        Assert.Equal((second.Provider.NodeId, LockShare.Write), Assert.Single(inspection.Waiters) is var waiter ? (waiter.Owner.NodeId, waiter.Share) : default);
        await AtOnce.Async(readers, ReleaseAsync, Bound);
        await ReleaseAsync(await writing.WaitAsync(Bound, Cancellation));
    }
}
