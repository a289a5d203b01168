using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Several locks in one step, where a store has it. One that has not says so by asking nothing.</content>
public abstract partial class LockStoreContract
{
    private string[] Together => [LockName, LockName + "-b", LockName + "-c"];

    [Fact]
    [Promise("G1", "G3", "G6")]
    public async Task All_locks_are_granted_in_one_step_and_the_same_when_they_are_asked_for_again()
    {
        var before = await GrantAsync(Bob);
        Assert.Equal(ReleaseOutcome.Released, (await ReleaseAsync(Bob)).Outcome);
        if (await TogetherAsync(Ada) is not { } granted)
        {
            await AssertNoneIsLeftAsync();
            return;
        }

        Assert.Equal(Together.Length, granted.Count);
        Assert.All(granted, reply => Assert.True(reply.IsGranted));
        Assert.True(granted[0].FencingToken > before);
        Assert.Equal(granted.Select(reply => reply.FencingToken), (await TogetherAsync(Ada))!.Select(reply => reply.FencingToken));
        Assert.Equal(granted.Select(reply => reply.FencingToken), (await TogetherAsync(Ada, entry: 2))!.Select(reply => reply.FencingToken));
        foreach (var name in Together)
        {
            Assert.False((await Store.AcquireAsync(Requests.Acquire(name, Bob, Long), Cancellation)).IsGranted);
            Assert.Equal(ReleaseOutcome.StillHeldByOwner, (await Store.ReleaseAsync(Requests.Release(name, Ada, Long), Cancellation)).Outcome);
            Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(Requests.Release(name, Ada, Long, entry: 2), Cancellation)).Outcome);
        }

        await AssertNoneIsLeftAsync();
    }

    [Theory]
    [Promise("G1", "G8")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task None_of_several_locks_is_granted_where_one_is_anothers(int held)
    {
        Assert.True((await Store.AcquireAsync(Requests.Acquire(Together[held], Bob, Long), Cancellation)).IsGranted);
        if (await TogetherAsync(Ada) is { } refused)
        {
            AssertTells(refused, held, Bob);
        }

        Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(Requests.Release(Together[held], Bob, Long), Cancellation)).Outcome);
        await AssertNoneIsLeftAsync();
    }

    [Fact]
    [Promise("G8")]
    public async Task Where_several_of_the_locks_are_of_others_the_holder_of_the_first_is_told()
    {
        Assert.True((await Store.AcquireAsync(Requests.Acquire(Together[2], Bob, Long), Cancellation)).IsGranted);
        Assert.True((await Store.AcquireAsync(Requests.Acquire(Together[1], Cy, Long), Cancellation)).IsGranted);
        if (await TogetherAsync(Ada) is { } refused)
        {
            AssertTells(refused, 1, Cy);
        }

        Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(Requests.Release(Together[1], Cy, Long), Cancellation)).Outcome);
        Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(Requests.Release(Together[2], Bob, Long), Cancellation)).Outcome);
        await AssertNoneIsLeftAsync();
    }

    [Fact]
    [Promise("G9")]
    public async Task Who_waits_for_one_of_several_locks_leaves_its_queue_when_all_are_granted()
    {
        await GrantAsync(Cy, lease: Short);
        await QueueAsync(Ada);
        await LapseAsync(LockName);
        if (await TogetherAsync(Ada) is { } granted)
        {
            Assert.All(granted, reply => Assert.True(reply.IsGranted));
            Assert.Equal(0, await Leftovers.CountWaitersAsync(Store, LockName));
            foreach (var name in Together)
            {
                Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(Requests.Release(name, Ada, Long), Cancellation)).Outcome);
            }
        }
        else
        {
            Assert.Equal(ReleaseOutcome.NotHeld, (await ReleaseAsync(Ada)).Outcome);
        }

        await AssertNoneIsLeftAsync();
    }

    [Fact]
    [Promise("G9")]
    public async Task Several_locks_overtake_nobody_who_waits_for_one_of_them()
    {
        await GrantAsync(Cy, lease: Short);
        await QueueAsync(Bob);
        await LapseAsync(LockName);
        if (await TogetherAsync(Ada) is { } refused)
        {
            Assert.All(refused, reply => Assert.False(reply.IsGranted));
        }

        Assert.True((await AskAsync(Bob)).IsGranted);
        Assert.Equal(ReleaseOutcome.Released, (await ReleaseAsync(Bob)).Outcome);
        await AssertNoneIsLeftAsync();
    }

    [Fact]
    public async Task Several_locks_that_are_granted_in_one_step_lapse_and_are_renewed_each_by_itself()
    {
        if (await TogetherAsync(Ada, lease: Short) is not { } granted)
        {
            return;
        }

        Assert.True(granted[0].IsGranted);
        Assert.True(await RenewAsync(Ada));
        await LapseAsync(Together[1]);
        await LapseAsync(Together[2]);
        await AssertHeldByAsync(Ada);
        Assert.Equal(ReleaseOutcome.Released, (await ReleaseAsync(Ada)).Outcome);
        await AssertNoneIsLeftAsync();
    }

    [Fact]
    public async Task Several_locks_are_not_taken_where_one_name_is_used_in_another_way()
    {
        if (!Store.KeepsShares)
        {
            return;
        }

        var permit = LockShare.PermitOf(2);
        Assert.True((await Store.AcquireAsync(Requests.Acquire(Together[1], Bob, Long) with { Share = permit }, Cancellation)).IsGranted);
        if (await TogetherAsync(Ada) is { } refused)
        {
            Assert.All(refused, reply => Assert.False(reply.IsGranted));
            Assert.Equal(permit.Capacity, refused[1].InUseAs);
        }

        Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(Requests.Release(Together[1], Bob, Long) with { Share = permit }, Cancellation)).Outcome);
        await AssertNoneIsLeftAsync();
    }

    private async Task<IReadOnlyList<AcquireReply>?> TogetherAsync(LockOwner owner, long entry = 1, TimeSpan? lease = null) =>
        await Store.TryAcquireAllAsync([.. Together.Select(name => Requests.Acquire(name, owner, lease ?? Long, entry: entry, claimWindow: Long))], Cancellation).WaitAsync(Bound, Cancellation);

    private void AssertTells(IReadOnlyList<AcquireReply> refused, int which, LockOwner holder)
    {
        Assert.Equal(Together.Length, refused.Count);
        Assert.All(refused, reply => Assert.False(reply.IsGranted));
        Assert.Equal(holder, refused[which].Holder?.Owner);
        Assert.All(refused.Where((_, i) => i != which), reply => Assert.Equal(new AcquireReply(), reply));
    }

    private async Task AssertNoneIsLeftAsync()
    {
        foreach (var name in Together)
        {
            Assert.True(await Leftovers.IsNothingAsync(Store, name), $"Something is left of the lock '{name}'.");
        }
    }
}
