using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>From reading to writing, and back.</content>
public abstract partial class LockStoreShareContract
{
    /// <summary>Ada, who goes on to write: each grant has an owner of its own.</summary>
    private LockOwner AdaWriting => new(Ada.NodeId, 2);

    private LockShare AdasUpgrade => LockShare.UpgradeOf(Ada);

    [Fact]
    public async Task An_upgrade_is_a_grant_of_its_own_beside_its_reader()
    {
        var reading = await GrantAsync(Ada, LockShare.UpgradeableRead);
        var writing = await GrantAsync(AdaWriting, AdasUpgrade);
        Assert.True(writing.FencingToken > reading.FencingToken);
        await AssertHeldByAsync(Ada, AdaWriting);
        Assert.Equal(writing.FencingToken, (await TryAsync(AdaWriting, AdasUpgrade)).FencingToken);
        Assert.Equal(RenewalReply.Renewed, await RenewAsync(AdaWriting, AdasUpgrade, token: writing.FencingToken));
        Assert.Equal(RenewalReply.Renewed, await RenewAsync(Ada, LockShare.UpgradeableRead, token: reading.FencingToken));

        // There is one at a time.
        Assert.False((await TryAsync(new LockOwner(Ada.NodeId, 3), AdasUpgrade)).IsGranted);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(AdaWriting, AdasUpgrade));
        await AssertHeldByAsync(Ada);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, LockShare.UpgradeableRead));
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G9")]
    public async Task An_upgrade_waits_for_the_other_readers_and_goes_before_all_who_wait()
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Ada, heard);
        await GrantAsync(Ada, LockShare.UpgradeableRead);
        await GrantAsync(Bob, LockShare.Read);
        await QueueAsync(LockShare.Write, Cy);
        await QueueAsync(LockShare.Read, Dan);
        Assert.Equal(0, (await AskAsync(AdaWriting, AdasUpgrade)).WaitersBefore);
        Assert.Equal(1, (await AskAsync(Cy, LockShare.Write)).WaitersBefore);
        await AssertWaitingAsync(AdaWriting, Cy, Dan);

        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, LockShare.Read));
        await AssertHeldByAsync(Ada, AdaWriting);
        await Eventually.IsTrueAsync(() => heard.Grants.Any(), Bound);
        AssertGrant(AdaWriting, Assert.Single(heard.Grants));
        Assert.True((await AskAsync(AdaWriting, AdasUpgrade)).IsGranted);

        // Back to reading: the writer does not fit, and whoever is behind it waits with it.
        await ReleaseAsync(AdaWriting, AdasUpgrade);
        await AssertHeldByAsync(Ada);
        await ReleaseAsync(Ada, LockShare.UpgradeableRead);
        await AssertHeldByAsync(Cy);
        await ReleaseAsync(Cy, LockShare.Write);
        await AssertHeldByAsync(Dan);
    }

    [Fact]
    [Promise("G9")]
    public async Task While_an_upgrade_waits_no_reader_is_let_in_and_when_it_leaves_they_are()
    {
        await GrantAsync(Ada, LockShare.UpgradeableRead);
        await GrantAsync(Bob, LockShare.Read);
        await QueueAsync(AdasUpgrade, AdaWriting);
        Assert.False((await TryAsync(Cy, LockShare.Read)).IsGranted);
        await QueueAsync(LockShare.Read, Cy, Dan);
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(AdaWriting, AdasUpgrade));
        await AssertHeldByAsync(Ada, Bob, Cy, Dan);
    }

    [Fact]
    public async Task After_an_upgrade_others_read_beside_its_reader_again()
    {
        await GrantAsync(Ada, LockShare.UpgradeableRead);
        await GrantAsync(AdaWriting, AdasUpgrade);
        await QueueAsync(LockShare.Read, Bob, Cy);
        await QueueAsync(LockShare.UpgradeableRead, Dan);
        await ReleaseAsync(AdaWriting, AdasUpgrade);
        await AssertHeldByAsync(Ada, Bob, Cy);
        await ReleaseAsync(Ada, LockShare.UpgradeableRead);
        await AssertHeldByAsync(Bob, Cy, Dan);
    }

    [Fact]
    [Promise("G1")]
    public async Task An_upgrade_stands_alone_when_its_reader_has_gone()
    {
        await GrantAsync(Ada, LockShare.UpgradeableRead);
        var writing = await GrantAsync(AdaWriting, AdasUpgrade);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, LockShare.UpgradeableRead));
        foreach (var share in (LockShare[])[LockShare.Read, LockShare.UpgradeableRead, LockShare.Write])
        {
            Assert.False((await TryAsync(Bob, share)).IsGranted);
        }

        Assert.Equal(RenewalReply.Renewed, await RenewAsync(AdaWriting, AdasUpgrade, token: writing.FencingToken));
        await QueueAsync(LockShare.Read, Bob);
        await ReleaseAsync(AdaWriting, AdasUpgrade);
        await AssertHeldByAsync(Bob);
    }

    [Fact]
    public async Task There_is_nothing_to_upgrade_but_an_upgradeable_read_that_is_held()
    {
        await AssertNothingToUpgradeAsync();
        await GrantAsync(Ada, LockShare.Read);
        await AssertNothingToUpgradeAsync();
        await ReleaseAsync(Ada, LockShare.Read);
        await GrantAsync(Bob, LockShare.UpgradeableRead);
        await AssertNothingToUpgradeAsync();
        await ReleaseAsync(Bob, LockShare.UpgradeableRead);
        await GrantAsync(Ada, LockShare.Write);
        await AssertNothingToUpgradeAsync();
        await ReleaseAsync(Ada, LockShare.Write);
        await GrantAsync(Ada, LockShare.UpgradeableRead);
        await GrantAsync(AdaWriting, AdasUpgrade);
    }

    [Theory]
    [Promise("G8")]
    [InlineData("released")]
    [InlineData("revoked")]
    [InlineData("lapsed")]
    [InlineData("kept")]
    public async Task A_waiting_upgrade_whose_reader_goes_has_nothing_to_upgrade_and_blocks_nobody(string how)
    {
        var heard = new Heard();
        await using var listening = await ListenAsync(Ada, heard);
        var reading = await GrantAsync(Ada, LockShare.UpgradeableRead, how == "lapsed" ? Short : Long);
        await GrantAsync(Bob, LockShare.Read);
        await QueueAsync(AdasUpgrade, AdaWriting);
        await QueueAsync(LockShare.Read, Cy);
        switch (how)
        {
            case "released":
                await ReleaseAsync(Ada, LockShare.UpgradeableRead);
                break;
            case "revoked":
                Assert.True(await RevokeAsync(reading.FencingToken!.Value));
                break;
            case "kept":
                await ReleaseAsync(Ada, LockShare.UpgradeableRead, lockAtLeastFor: Long);
                break;
            default:
                await LapseAsync(LockName, Ada);
                break;
        }

        if (how != "lapsed")
        {
            // In the same step, and the upgrade is told to look.
            Assert.Contains((await InspectAsync()).Holders, holder => holder.Owner == Cy);
            await Eventually.IsTrueAsync(() => heard.All.Any(told => told.Owner == AdaWriting), Bound);
        }

        await AssertNothingToUpgradeAsync();
        Assert.True((await AskAsync(Cy, LockShare.Read)).IsGranted);
        Assert.Equal(0, (await InspectAsync()).WaiterCount);
    }

    /// <summary>Neither a try nor a wait finds something to upgrade, and neither stands in the queue afterwards.</summary>
    private async Task AssertNothingToUpgradeAsync()
    {
        var expected = (true, false, (LockCapacity?)null);
        foreach (var reply in new[] { await AskAsync(AdaWriting, AdasUpgrade), await TryAsync(AdaWriting, AdasUpgrade) })
        {
            Assert.Equal(expected, (reply.HasNothingToUpgrade, reply.IsGranted, reply.InUseAs));
        }

        Assert.DoesNotContain((await InspectAsync()).Waiters, waiter => waiter.Owner == AdaWriting);
    }
}
