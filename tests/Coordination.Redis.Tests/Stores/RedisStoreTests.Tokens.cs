using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <content>The fencing tokens, and for how long the last one is remembered.</content>
public abstract partial class RedisStoreTests
{
    [Fact]
    [Promise("G3")]
    public async Task The_token_is_the_servers_time_in_microseconds_with_every_digit()
    {
        var before = await ServerMicrosAsync();
        var reply = await AcquireAsync(_ada, wait: false);
        var after = await ServerMicrosAsync();

        Assert.InRange(reply.FencingToken!.Value, before, after);
        Assert.Equal(reply.FencingToken, (await RecordAsync()).Token);
        Assert.InRange((await Administration.GetHolderAsync("orders", Token))!.Since.ToUnixTimeMilliseconds(), before / 1000, (after / 1000) + 1);
    }

    [Fact]
    [Promise("G3")]
    public async Task The_token_grows_when_the_last_one_is_ahead_of_the_clock()
    {
        var ahead = await ServerMicrosAsync() + 3_600_000_000L;
        await WriteTokenAsync(ahead);

        var first = await AcquireAsync(_ada, wait: false);
        await ReleaseAsync(_ada);
        var second = await AcquireAsync(_bob, wait: false);

        Assert.Equal(ahead + 1, first.FencingToken);
        Assert.Equal(ahead + 2, second.FencingToken);
    }

    /// <summary>What is done to a lock.</summary>
    public enum Deed
    {
        /// <summary>It is granted.</summary>
        Grant,

        /// <summary>And its lease extended, by a part of the record.</summary>
        Renewal,

        /// <summary>And its lease extended, by the whole record.</summary>
        LongerRenewal,

        /// <summary>And its holder granted another entry.</summary>
        Entry,

        /// <summary>And handed over.</summary>
        Handover,

        /// <summary>And claimed.</summary>
        Claim,

        /// <summary>And released.</summary>
        Release,
    }

    /// <summary>A server that once started with a wrong clock: a token that is forgotten before the time has come up with it is followed by a lower one.</summary>
    [Theory]
    [Promise("G3")]
    [Failure("F43")]
    [InlineData(Deed.Grant)]
    [InlineData(Deed.Renewal)]
    [InlineData(Deed.LongerRenewal)]
    [InlineData(Deed.Entry)]
    [InlineData(Deed.Handover)]
    [InlineData(Deed.Claim)]
    [InlineData(Deed.Release)]
    public async Task A_token_that_is_ahead_of_the_clock_is_remembered_until_it_is_not_and_two_days(Deed last)
    {
        var ahead = TimeSpan.FromDays(400);
        await WriteTokenAsync(await ServerMicrosAsync() + (ahead.Ticks / TimeSpan.TicksPerMicrosecond));
        await AcquireAsync(_ada, wait: false);
        switch (last)
        {
            case Deed.Renewal:
                await RenewAsync(_ada, Lease);
                break;
            case Deed.LongerRenewal:
                await RenewAsync(_ada, 2 * Lease);
                break;
            case Deed.Entry:
                await Store.AcquireAsync(Requests.Acquire("orders", _ada, Lease, entry: 2), Token);
                break;
            case Deed.Handover:
                await AcquireAsync(_bob, wait: true);
                await ReleaseAsync(_ada);
                break;
            case Deed.Claim:
                await AcquireAsync(_bob, wait: true);
                await ReleaseAsync(_ada);
                await RenewAsync(_bob, Lease);
                break;
            case Deed.Release:
                await ReleaseAsync(_ada);
                break;
        }

        Assert.InRange((await Database.KeyTimeToLiveAsync(RecordKey))!.Value, ahead + TimeSpan.FromHours(47), ahead + TimeSpan.FromHours(49));
    }

    [Fact]
    [Promise("G3")]
    [Failure("F18")]
    public async Task The_token_grows_after_all_keys_are_gone()
    {
        var first = await AcquireAsync(_ada, wait: false);
        await Database.KeyDeleteAsync((await KeysAsync()).Select(key => (RedisKey)key).ToArray());
        var second = await AcquireAsync(_bob, wait: false);

        Assert.True(second.IsGranted);
        Assert.True(second.FencingToken > first.FencingToken);
    }

    [Fact]
    [Promise("G3")]
    public async Task The_token_of_a_handover_grows_when_the_last_one_is_ahead_of_the_clock()
    {
        var ahead = await ServerMicrosAsync() + 3_600_000_000L;
        await AcquireAsync(_ada, wait: false);
        await Database.StringSetAsync(RecordKey, (await RecordAsync() with { Token = ahead }).ToString());
        await AcquireAsync(_bob, wait: true);
        await ReleaseAsync(_ada);

        Assert.Equal(ahead + 1, (await Administration.GetHolderAsync("orders", Token))!.FencingToken);
    }

    /// <summary>A lock that was released, whose last token was this one.</summary>
    private async Task WriteTokenAsync(long token) =>
        await Database.StringSetAsync(RecordKey, new LockText(token, await ServerMicrosAsync(), 'F', '0', 30_000, "host-9-old/1#1").ToString());
}
