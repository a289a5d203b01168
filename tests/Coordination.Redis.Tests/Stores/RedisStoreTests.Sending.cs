using Coordination.Redis.Scripts;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <content>What is sent whatever its token says, what is not, and the scripts that the server does not know.</content>
public abstract partial class RedisStoreTests
{
    private static readonly CancellationToken Cancelled = new(canceled: true);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

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
    [InlineData(Obstacle.UnknownScripts)]
    [InlineData(Obstacle.NoConnection)]
    [InlineData(Obstacle.NoExamination)]
    public async Task F23_Release_IsSent_WithATokenThatIsCancelledAlready(Obstacle obstacle)
    {
        await AcquireAsync(_ada, wait: false);
        await using var node = await NodeBeforeAsync(obstacle);
        await ReleaseWithCancelledTokenAsync(node, new ReleaseRequest("orders", _ada, 1, ClaimWindow));
        await Eventually.IsTrueAsync(async () => await Store.GetHolderAsync("orders", Token) is null, Patience, "the lock is free");
    }

    [Theory]
    [InlineData(Obstacle.UnknownScripts)]
    [InlineData(Obstacle.NoConnection)]
    [InlineData(Obstacle.NoExamination)]
    public async Task F23_UndoOfAnAcquisition_IsSent_WithATokenThatIsCancelledAlready(Obstacle obstacle)
    {
        await AcquireAsync(_ada, wait: false);
        var abandoned = new AcquireRequest("orders", _ada, 2, Lease, false, ClaimWindow);
        Assert.True((await Store.AcquireAsync(abandoned, Token)).IsGranted);
        await using var node = await NodeBeforeAsync(obstacle);
        await ReleaseWithCancelledTokenAsync(node, new ReleaseRequest("orders", _ada, abandoned.Entry, ClaimWindow));
        await Eventually.IsTrueAsync(async () => !await Database.HashExistsAsync(Key("lock"), "e:2"), Patience, "the entry is gone");
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(_ada));
    }

    [Theory]
    [InlineData(Obstacle.UnknownScripts)]
    [InlineData(Obstacle.NoConnection)]
    [InlineData(Obstacle.NoExamination)]
    public async Task F23_LeavingTheQueue_IsSent_WithATokenThatIsCancelledAlready(Obstacle obstacle)
    {
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_bob, wait: true);
        await using var node = await NodeBeforeAsync(obstacle);
        await ReleaseWithCancelledTokenAsync(node, new ReleaseRequest("orders", _bob, 1, ClaimWindow));
        await Eventually.IsTrueAsync(async () => !await Database.KeyExistsAsync(Key("waiters")), Patience, "the queue is empty");
        Assert.Equal(_ada, (await Store.GetHolderAsync("orders", Token))!.Owner);
    }

    /// <summary>A revocation is one of them: nothing is left undone without it.</summary>
    [Fact]
    public async Task Question_IsNotSent_WithATokenThatIsCancelledAlready()
    {
        var token = (await AcquireAsync(_ada, wait: false)).FencingToken!.Value;
        foreach (var question in (Func<CancellationToken, Task>[])
            [
                cancelled => Store.AcquireAsync(new AcquireRequest("orders", _bob, 1, Lease, Wait: true, ClaimWindow), cancelled),
                cancelled => Store.RenewAsync([new RenewalRequest("orders", _ada, 10 * Lease)], cancelled),
                cancelled => Store.RevokeAsync("orders", token, ClaimWindow, cancelled),
            ])
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => question(Cancelled));
        }

        // On the same connection: what was sent before would have been carried out by now.
        await Store.PingAsync(Token);
        Assert.False(await Database.KeyExistsAsync(Key("waiters")));
        var holder = (await Store.GetHolderAsync("orders", Token))!;
        Assert.Equal((_ada, token), (holder.Owner, holder.FencingToken));
        Assert.True(holder.TimeToLive <= Lease);
    }

    [Fact]
    public async Task F30_Scripts_AreLoadedAgainAfterAFlush()
    {
        await AcquireAsync(_ada, wait: false);
        await _connection.GetServers()[0].ScriptFlushAsync();

        Assert.Equal([RenewalReply.Renewed], await RenewAsync(_ada, Lease));
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(_ada));
    }

    [Fact]
    public async Task F30_Scripts_AreRememberedByTheServer()
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
            await node.Store.PingAsync(Token);
        }

        await _connection.GetServers()[0].ScriptFlushAsync();
        return node;
    }

    /// <summary>It may be answered before anybody looks at the token.</summary>
    private static async Task ReleaseWithCancelledTokenAsync(TestNode node, ReleaseRequest request)
    {
        var thrown = await Record.ExceptionAsync(() => node.Store.ReleaseAsync(request, Cancelled));
        Assert.True(thrown is null or OperationCanceledException, thrown?.ToString());
    }
}
