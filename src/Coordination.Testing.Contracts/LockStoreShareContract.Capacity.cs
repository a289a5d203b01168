using Coordination.Stores;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>How many fit, and what a name is used as.</content>
public abstract partial class LockStoreShareContract
{
    [Theory]
    [Promise("G1")]
    [InlineData(LockShareKind.Read, LockShareKind.Read, true)]
    [InlineData(LockShareKind.Read, LockShareKind.UpgradeableRead, true)]
    [InlineData(LockShareKind.Read, LockShareKind.Write, false)]
    [InlineData(LockShareKind.UpgradeableRead, LockShareKind.Read, true)]
    [InlineData(LockShareKind.UpgradeableRead, LockShareKind.UpgradeableRead, false)]
    [InlineData(LockShareKind.UpgradeableRead, LockShareKind.Write, false)]
    [InlineData(LockShareKind.Write, LockShareKind.Read, false)]
    [InlineData(LockShareKind.Write, LockShareKind.UpgradeableRead, false)]
    [InlineData(LockShareKind.Write, LockShareKind.Write, false)]
    [InlineData(LockShareKind.Upgrade, LockShareKind.Read, false)]
    [InlineData(LockShareKind.Upgrade, LockShareKind.UpgradeableRead, false)]
    [InlineData(LockShareKind.Upgrade, LockShareKind.Write, false)]
    public async Task What_is_held_lets_in_what_fits_beside_it_and_nothing_else(LockShareKind held, LockShareKind wanted, bool fits)
    {
        if (held == LockShareKind.Upgrade)
        {
            await GrantAsync(Cy, LockShare.UpgradeableRead);
            await GrantAsync(Ada, LockShare.UpgradeOf(Cy));
        }
        else
        {
            await GrantAsync(Ada, Share(held));
        }

        var reply = await TryAsync(Bob, Share(wanted));
        Assert.Equal(fits, reply.IsGranted);
        Assert.Null(reply.Permit);
        Assert.Null(reply.InUseAs);
        if (!fits)
        {
            Assert.Contains(reply.Holder!.Owner, (LockOwner[])[Ada, Cy]);
            Assert.Equal(0, (await InspectAsync()).WaiterCount);
            await ReleaseAsync(Cy, LockShare.UpgradeableRead);
            await ReleaseAsync(Ada, held == LockShareKind.Upgrade ? LockShare.UpgradeOf(Cy) : Share(held));
            await GrantAsync(Bob, Share(wanted));
        }

        static LockShare Share(LockShareKind kind) => kind switch
        {
            LockShareKind.Read => LockShare.Read,
            LockShareKind.UpgradeableRead => LockShare.UpgradeableRead,
            _ => LockShare.Write,
        };
    }

    [Theory]
    [Promise("G1")]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public async Task A_semaphore_lets_in_as_many_as_it_has_permits_and_each_has_its_number(int permits)
    {
        var share = LockShare.PermitOf(permits);
        for (var i = 0; i < permits; i++)
        {
            Assert.Equal(i, (await GrantAsync(Owner("guest", i), share)).Permit);
        }

        var refused = await TryAsync(Ada, share);
        Assert.False(refused.IsGranted);
        Assert.Null(refused.Permit);
        Assert.Equal(share, refused.Holder?.Share);

        // The lowest number that nobody has.
        foreach (var free in new[] { permits / 2, permits - 1, 0 }.Distinct())
        {
            Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Owner("guest", free), share));
            Assert.Equal(free, (await GrantAsync(Owner("guest", free), share)).Permit);
            Assert.False((await TryAsync(Ada, share)).IsGranted);
        }
    }

    [Fact]
    public async Task A_semaphore_may_have_as_many_permits_as_its_limit()
    {
        var share = LockShare.PermitOf(LockCapacity.MaxPermits);
        Assert.Equal(0, (await GrantAsync(Ada, share)).Permit);
        Assert.Equal(1, (await GrantAsync(Bob, share)).Permit);
        Assert.Equal(share.Capacity, (await InspectAsync()).Capacity);
    }

    [Fact]
    [Promise("G1")]
    public async Task Of_many_owners_that_race_as_many_are_granted_a_permit_as_there_are()
    {
        for (var round = 0; round < 30; round++)
        {
            var racers = Enumerable.Range(0, 12).Select(i => Owner($"racer{i}", round + 1)).ToArray();
            var replies = await AtOnce.Async(racers, racer => TryAsync(racer, OneOfThree), Bound);
            Assert.Equal([0, 1, 2], replies.Where(reply => reply.IsGranted).Select(reply => reply.Permit!.Value).Order());
            Assert.Equal(3, replies.Where(reply => reply.IsGranted).Select(reply => reply.FencingToken).Distinct().Count());
            foreach (var (racer, _) in racers.Zip(replies).Where(pair => pair.Second.IsGranted))
            {
                Assert.Equal(ReleaseReply.Released, await ReleaseAsync(racer, OneOfThree));
            }
        }

        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G1", "G7")]
    public async Task Readers_and_writers_that_come_and_go_never_hold_the_lock_beside_a_writer()
    {
        var (readers, writers) = (0, 0);
        await AtOnce.Async(Enumerable.Range(0, 6), ComeAndGoAsync, 2 * Bound);
        await AssertNothingLeftAsync(LockName);

        async Task ComeAndGoAsync(int guest)
        {
            for (var round = 1; round <= 15; round++)
            {
                var (owner, share) = (Owner($"guest{guest}", round), guest % 3 == 0 ? LockShare.Write : LockShare.Read);
                while (!(await AskAsync(owner, share)).IsGranted)
                {
                    await Task.Yield();
                }

                if (share == LockShare.Write)
                {
                    Assert.Equal((1, 0), (Interlocked.Increment(ref writers), Volatile.Read(ref readers)));
                    await InspectAsync();
                    Assert.Equal((0, 0), (Interlocked.Decrement(ref writers), Volatile.Read(ref readers)));
                }
                else
                {
                    Interlocked.Increment(ref readers);
                    Assert.Equal(0, Volatile.Read(ref writers));
                    await InspectAsync();
                    Interlocked.Decrement(ref readers);
                }

                Assert.Equal(ReleaseReply.Released, await ReleaseAsync(owner, share));
            }
        }
    }

    [Fact]
    [Promise("G3")]
    public async Task Tokens_grow_over_all_grants_of_a_lock_that_several_hold()
    {
        var tokens = new List<long>();
        for (var i = 0; i < 30; i++)
        {
            tokens.Add((await GrantAsync(Owner("holder", i), OneOfThree)).FencingToken!.Value);
            if (i >= 2)
            {
                Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Owner("holder", i - 2), OneOfThree));
            }
        }

        Assert.Equal(tokens.Distinct().Order(), tokens);
    }

    [Fact]
    [Promise("G3")]
    [Failure("F18")]
    public async Task After_the_store_lost_its_data_all_permits_are_free_and_tokens_have_grown()
    {
        await GrantAsync(Ada, OneOfTwo);
        var before = (await GrantAsync(Bob, OneOfTwo)).FencingToken;
        await QueueAsync(OneOfTwo, Cy);
        await LoseAllDataAsync();

        await AssertHeldByAsync();
        Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Ada, OneOfTwo));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob, OneOfTwo));
        var next = await GrantAsync(Cy, OneOfTwo);
        Assert.Equal(0, next.Permit);
        Assert.True(next.FencingToken > before);
    }

    [Fact]
    [Promise("G1")]
    public async Task A_name_in_use_is_refused_with_another_capacity_and_had_once_it_is_free()
    {
        LockShare?[] all = [null, OneOfTwo, OneOfThree, LockShare.Write];
        foreach (var (held, wanted) in all.SelectMany(held => all.Where(wanted => wanted != held).Select(wanted => (held, wanted))))
        {
            var granted = await GrantAsync(Ada, held);
            foreach (var reply in new[] { await TryAsync(Bob, wanted), await AskAsync(Bob, wanted) })
            {
                Assert.Equal((held?.Capacity ?? LockCapacity.Exclusive, false, false), (reply.InUseAs, reply.IsGranted, reply.HasNothingToUpgrade));
            }

            // It has joined no queue, and what it releases, renews or leaves is nothing.
            Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Bob, wanted));
            Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada, wanted));
            Assert.Equal(RenewalReply.NotHeld, await RenewAsync(Ada, wanted));
            Assert.Equal(0, (await InspectAsync()).WaiterCount);
            Assert.Equal(RenewalReply.Renewed, await RenewAsync(Ada, held, token: granted.FencingToken));
            Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Ada, held));

            var other = await GrantAsync(Bob, wanted);
            Assert.True(other.FencingToken > granted.FencingToken, "The token did not grow.");
            Assert.Equal(ReleaseReply.Released, await ReleaseAsync(Bob, wanted));
        }

        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    public async Task A_name_that_is_waited_for_or_locked_for_a_time_is_in_use_though_nobody_holds_it()
    {
        await GrantAsync(Ada, LockShare.Write, Short);
        await QueueAsync(LockShare.Read, Bob);
        await LapseAsync(LockName, Ada);
        Assert.Equal(LockCapacity.ReaderWriter, (await TryAsync(Cy, OneOfTwo)).InUseAs);
        Assert.True((await AskAsync(Bob, LockShare.Read)).IsGranted);
        await ReleaseAsync(Bob, LockShare.Read, lockAtLeastFor: Long);
        Assert.Equal(LockCapacity.ReaderWriter, (await TryAsync(Cy, share: null)).InUseAs);
    }

    [Fact]
    [Promise("G4")]
    public async Task A_name_that_only_the_dead_wait_for_is_had_with_another_capacity()
    {
        await GrantAsync(Ada, OneOfTwo, Short);
        await GrantAsync(Bob, OneOfTwo, Short);
        Assert.False((await AskAsync(Cy, OneOfTwo, claimWindow: Short)).IsGranted);

        // Longer than the holders' time to live when Cy asked, its claim window, and a second of grace.
        await PassAsync((2 * Short) + TimeSpan.FromSeconds(1));
        await GrantAsync(Dan, null);
        Assert.Equal(LockCapacity.Exclusive, (await TryAsync(Cy, OneOfTwo)).InUseAs);
        await ReleaseAsync(Dan, share: null);
        await AssertNothingLeftAsync(LockName);
    }
}
