using Coordination.Redis.Scripts;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <content>What is sent whatever its token says, what is not, and the scripts that the server does not know.</content>
public abstract partial class RedisStoreTests
{
    private static readonly CancellationToken Cancelled = new(canceled: true);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>What stands between a store and a script that is run at once.</summary>
    public enum Obstacle
    {
        /// <summary>The server does not know the scripts.</summary>
        UnknownScripts,

        /// <summary>And the connection is not made yet.</summary>
        NoConnection,

        /// <summary>The connection stands, and the server was not examined over it yet.</summary>
        NoExamination,
    }

    [Theory]
    [Failure("F23")]
    [InlineData(Obstacle.UnknownScripts)]
    [InlineData(Obstacle.NoConnection)]
    [InlineData(Obstacle.NoExamination)]
    public async Task A_release_is_sent_with_a_token_that_is_cancelled_already(Obstacle obstacle)
    {
        await AcquireAsync(_ada, wait: false);
        await using var node = await NodeBeforeAsync(obstacle);
        await ReleaseWithCancelledTokenAsync(node, Requests.Release("orders", _ada, ClaimWindow));
        await Eventually.IsTrueAsync(async () => await Administration.GetHolderAsync("orders", Token) is null, Patience, "the lock is free");
    }

    [Theory]
    [Failure("F23")]
    [InlineData(Obstacle.UnknownScripts)]
    [InlineData(Obstacle.NoConnection)]
    [InlineData(Obstacle.NoExamination)]
    public async Task The_undo_of_an_acquisition_is_sent_with_a_token_that_is_cancelled_already(Obstacle obstacle)
    {
        await AcquireAsync(_ada, wait: false);
        var abandoned = Requests.Acquire("orders", _ada, Lease, entry: 2, claimWindow: ClaimWindow);
        Assert.True((await Store.AcquireAsync(abandoned, Token)).IsGranted);
        await using var node = await NodeBeforeAsync(obstacle);
        await ReleaseWithCancelledTokenAsync(node, Requests.Release("orders", _ada, ClaimWindow, abandoned.Entry));
        await Eventually.IsTrueAsync(async () => (await RecordAsync()).Who == $"{_ada}#1", Patience, "the entry is gone");
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(_ada));
    }

    [Theory]
    [Failure("F23")]
    [InlineData(Obstacle.UnknownScripts)]
    [InlineData(Obstacle.NoConnection)]
    [InlineData(Obstacle.NoExamination)]
    public async Task Leaving_the_queue_is_sent_with_a_token_that_is_cancelled_already(Obstacle obstacle)
    {
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_bob, wait: true);
        await using var node = await NodeBeforeAsync(obstacle);
        await ReleaseWithCancelledTokenAsync(node, Requests.Release("orders", _bob, ClaimWindow));
        await Eventually.IsTrueAsync(async () => !await Database.KeyExistsAsync(Key("waiters")), Patience, "the queue is empty");
        Assert.Equal(_ada, (await Administration.GetHolderAsync("orders", Token))!.Owner);
    }

    /// <summary>A revocation is one of them: nothing is left undone without it.</summary>
    [Fact]
    public async Task A_question_is_not_sent_with_a_token_that_is_cancelled_already()
    {
        var token = (await AcquireAsync(_ada, wait: false)).FencingToken!.Value;
        foreach (var question in (Func<CancellationToken, Task>[])
            [
                cancelled => Store.AcquireAsync(Requests.Acquire("orders", _bob, Lease, wait: true, claimWindow: ClaimWindow), cancelled),
                cancelled => Store.RenewAsync([Requests.Renew("orders", _ada, 10 * Lease)], cancelled),
                cancelled => Administration.RevokeAsync("orders", token, ClaimWindow, cancelled),
            ])
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => question(Cancelled));
        }

        // On the same connection: what was sent before would have been carried out by now.
        await Administration.PingAsync(Token);
        Assert.False(await Database.KeyExistsAsync(Key("waiters")));
        var holder = (await Administration.GetHolderAsync("orders", Token))!;
        Assert.Equal((_ada, token), (holder.Owner, holder.FencingToken));
        Assert.True(holder.TimeToLive <= Lease);
    }

    [Fact]
    [Failure("F30")]
    public async Task Scripts_are_loaded_again_after_a_flush()
    {
        await AcquireAsync(_ada, wait: false);
        await _connection.GetServers()[0].ScriptFlushAsync();

        Assert.Equal([RenewalReply.Renewed], await RenewAsync(_ada, Lease));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(_ada));
    }

    [Fact]
    [Failure("F30")]
    public async Task Scripts_are_remembered_by_the_server()
    {
        await AcquireAsync(_ada, wait: false);
        await RenewAsync(_ada, Lease);
        await ReleaseAsync(_ada);

        foreach (var script in (RedisScript[])[RedisScript.Acquire, RedisScript.Renew, RedisScript.Release])
        {
            Assert.True(await _connection.GetServers()[0].ScriptExistsAsync(script.Hash));
        }
    }

    /// <summary>A node of its own, to which something stands in the way.</summary>
    private async Task<TestNode> NodeBeforeAsync(Obstacle obstacle)
    {
        var connectionString = await server.GetConnectionStringAsync();
        var node = obstacle == Obstacle.NoExamination
            ? new TestNode(builder => builder.UseRedis(options => options.KeyPrefix = _prefix).Services.AddSingleton<IConnectionMultiplexer>(_connection))
            : new TestNode(connectionString, _prefix, probe: false);
        if (obstacle == Obstacle.UnknownScripts)
        {
            await node.Administration.PingAsync(Token);
        }

        await _connection.GetServers()[0].ScriptFlushAsync();
        return node;
    }

    /// <summary>The reply may come before anybody looks at the token.</summary>
    private static async Task ReleaseWithCancelledTokenAsync(TestNode node, ReleaseRequest request)
    {
        var thrown = await Record.ExceptionAsync(() => node.Store.ReleaseAsync(request, Cancelled));
        Assert.True(thrown is null or OperationCanceledException, thrown?.ToString());
    }
}
