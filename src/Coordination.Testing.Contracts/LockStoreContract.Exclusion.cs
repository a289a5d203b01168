using System.Collections.Concurrent;
using Coordination.Stores;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>One holder at a time, and tokens that grow.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    [Promise("G1")]
    public async Task Of_many_owners_that_race_exactly_one_is_granted_the_lock()
    {
        for (var round = 0; round < 100; round++)
        {
            var racers = Enumerable.Range(0, 16).Select(i => Owner($"racer{i}", round)).ToArray();
            var replies = await AtOnce.Async(racers, racer => TryAsync(racer), Bound);

            var winner = racers[Array.FindIndex(replies, reply => reply.IsGranted)];
            Assert.Single(replies, reply => reply.IsGranted);
            Assert.All(replies, reply => Assert.Equal(reply.IsGranted ? null : winner, reply.Holder?.Owner));
            Assert.Equal(ReleaseReply.Released, await ReleaseAsync(winner));
        }
    }

    [Fact]
    [Promise("G1")]
    public async Task Owners_that_come_and_go_never_hold_the_lock_together()
    {
        const int rounds = 20;
        var inside = 0;
        var ownersByToken = new ConcurrentDictionary<long, LockOwner>();
        await AtOnce.Async(Enumerable.Range(0, 6).Select(i => Owner($"guest{i}")), ComeAndGoAsync, 2 * Bound);
        await AssertNothingLeftAsync(LockName);

        async Task ComeAndGoAsync(LockOwner owner)
        {
            for (var entry = 1; entry <= rounds; entry++)
            {
                AcquireReply reply;
                do
                {
                    await Task.Yield();
                    reply = await AskAsync(owner, entry);
                    See(reply.IsGranted ? await HolderAsync() : reply.Holder);
                }
                while (!reply.IsGranted);

                Assert.Equal(1, Interlocked.Increment(ref inside));
                See(await HolderAsync());
                Interlocked.Decrement(ref inside);
                Assert.Equal(ReleaseReply.Released, await ReleaseAsync(owner, entry));
            }
        }

        // A token is one grant, and a grant has one owner, whoever looks and whenever.
        void See(LockHolder? holder)
        {
            Assert.NotNull(holder);
            Assert.Equal(holder.Owner, ownersByToken.GetOrAdd(holder.FencingToken, holder.Owner));
        }
    }

    [Fact]
    [Promise("G3")]
    public async Task Tokens_grow_with_every_grant()
    {
        var last = 0L;
        for (var i = 0; i < 100; i++)
        {
            var owner = i % 2 == 0 ? Ada : Bob;
            var token = await GrantAsync(owner);
            Assert.True(token > last, $"{token} came after {last}.");
            last = token;
            await ReleaseAsync(owner);
        }
    }

    [Fact]
    [Promise("G3")]
    public async Task The_token_is_about_the_time_in_microseconds()
    {
        var token = await GrantAsync(Ada);
        var since = (await HeldAsync()).Since;

        Assert.InRange(token - MicrosecondsOf(since), -1_000_000, 1_000_000);
        Assert.InRange(since, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));

        static long MicrosecondsOf(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }

    [Fact]
    [Promise("G3")]
    public async Task The_token_grows_when_the_lease_has_lapsed()
    {
        var first = await GrantAsync(Ada, Short);
        await LapseAsync(LockName);
        var second = await GrantAsync(Ada);
        Assert.True(second > first);
    }

    [Fact]
    [Promise("G3")]
    public async Task The_token_grows_when_the_lock_is_passed_on_and_again_when_nobody_claims_it()
    {
        var granted = await GrantAsync(Ada);
        await QueueAsync(Bob);
        await ReleaseAsync(Ada, claimWindow: Short);
        var passed = await HeldAsync();
        Assert.Equal(Bob, passed.Owner);
        Assert.True(passed.FencingToken > granted);

        await LapseAsync(LockName);
        Assert.True(await GrantAsync(Cy) > passed.FencingToken);
    }

    [Fact]
    [Promise("G3")]
    [Failure("F18")]
    public async Task The_token_grows_after_the_store_lost_its_data()
    {
        var before = await GrantAsync(Ada);
        await LoseAllDataAsync();
        Assert.True(await GrantAsync(Bob) > before);
    }

    [Fact]
    [Failure("F18")]
    public async Task After_the_store_lost_its_data_nobody_holds_the_lock_or_waits_for_it()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob);
        await LoseAllDataAsync();

        Assert.Null(await HolderAsync());
        Assert.False(await RenewAsync(Ada));
        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(Ada));
        await AssertNothingLeftAsync(LockName);
        Assert.True((await AskAsync(Bob)).IsGranted);
    }

    [Fact]
    public async Task Locks_with_different_names_have_nothing_to_do_with_each_other()
    {
        string[] names = [LockName, LockName + " ", LockName.ToUpperInvariant(), LockName + ":lock", LockName + "\u00e9", LockName + "e\u0301"];
        foreach (var (name, index) in names.Select((name, index) => (name, index)))
        {
            var reply = await Store.AcquireAsync(Requests.Acquire(name, Owner("n", index), Long), Cancellation);
            Assert.True(reply.IsGranted, $"'{name}' is not free.");
        }
    }
}
