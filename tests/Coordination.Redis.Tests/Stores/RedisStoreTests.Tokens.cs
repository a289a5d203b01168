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
        Assert.Equal(reply.FencingToken.Value.ToString(), await Database.HashGetAsync(Key("lock"), "token"));
        Assert.InRange((await Administration.GetHolderAsync("orders", Token))!.Since.ToUnixTimeMilliseconds(), before / 1000, (after / 1000) + 1);
    }

    [Fact]
    [Promise("G3")]
    public async Task The_token_grows_when_the_last_one_is_ahead_of_the_clock()
    {
        var ahead = await ServerMicrosAsync() + 3_600_000_000L;
        await Database.StringSetAsync(Key("token"), ahead);

        var first = await AcquireAsync(_ada, wait: false);
        await ReleaseAsync(_ada);
        var second = await AcquireAsync(_bob, wait: false);

        Assert.Equal(ahead + 1, first.FencingToken);
        Assert.Equal(ahead + 2, second.FencingToken);
    }

    /// <summary>A server that once started with a wrong clock: a token that is forgotten before the time has come up with it is followed by a lower one.</summary>
    [Theory]
    [Promise("G3")]
    [Failure("F43")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_that_is_ahead_of_the_clock_is_remembered_until_it_is_not_and_a_day(bool isPassedOn)
    {
        var ahead = TimeSpan.FromDays(400);
        await Database.StringSetAsync(Key("token"), await ServerMicrosAsync() + (ahead.Ticks / TimeSpan.TicksPerMicrosecond));
        await AcquireAsync(_ada, wait: false);
        if (isPassedOn)
        {
            // Only the holder knows of it then.
            await Database.KeyDeleteAsync(Key("token"));
            await AcquireAsync(_bob, wait: true);
            await ReleaseAsync(_ada);
        }

        Assert.InRange((await Database.KeyTimeToLiveAsync(Key("token")))!.Value, ahead + TimeSpan.FromHours(23), ahead + TimeSpan.FromHours(25));
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
    public async Task The_token_of_a_handover_grows_also_when_the_last_one_has_lapsed()
    {
        var ahead = await ServerMicrosAsync() + 3_600_000_000L;
        await AcquireAsync(_ada, wait: false);
        await Database.HashSetAsync(Key("lock"), "token", ahead);
        await Database.KeyDeleteAsync(Key("token"));
        await AcquireAsync(_bob, wait: true);
        await ReleaseAsync(_ada);

        Assert.Equal(ahead + 1, (await Administration.GetHolderAsync("orders", Token))!.FencingToken);
    }
}
