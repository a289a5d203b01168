using Coordination.Redis.Stores;
using Coordination.Redis.Tests.Servers;
using Coordination.Telemetry;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Errors;

/// <summary>What a node knows of a server that replies to a ping and grants no lock: the health check says that.</summary>
[Needs(Need.RedisServer)]
public sealed class StoreConditionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F58")]
    [InlineData("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "out of memory")]
    [InlineData("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", "replicas")]
    [InlineData("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "redis")]
    [InlineData("ACL SETUSER locks -evalsha -eval", "ACL SETUSER locks +evalsha +eval", "right")]
    [InlineData("SET coordination:v2:{work} foreign", "DEL coordination:v2:{work}", "coordination")]
    public async Task A_server_that_grants_no_lock_is_known_as_such_until_it_does(string fault, string cure, string reason)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await server.ConnectAsOperatorAsync();
        await DoAsync("ACL SETUSER locks on >hunter2 ~* &* +@all");
        await using var node = new TestNode(builder => builder.UseRedis($"{server.ConnectionString},user=locks,password=hunter2", options => options.ProbeOnStart = false));
        var condition = node.Services.GetRequiredService<StoreCondition>();
        Assert.False(condition.IsKnown);
        await (await AcquireAsync())!.DisposeAsync();
        Assert.True(condition.IsKnown);
        Assert.Null(condition.Trouble);

        await DoAsync(fault);
        await Assert.ThrowsAsync<LockStoreException>(AcquireAsync);
        Assert.Contains(reason, condition.Trouble, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("hunter2", condition.Trouble, StringComparison.Ordinal);

        await DoAsync(cure);
        await Eventually.IsTrueAsync(async () => await Record.ExceptionAsync(async () => await (await AcquireAsync())!.DisposeAsync()) is null, Patience, "a lock is granted");
        await Eventually.IsTrueAsync(() => condition.Trouble is null, Patience, "the trouble is over");

        Task<ILockLease?> AcquireAsync() => node.GetLock("work").TryAcquireAsync(Token);

        async Task DoAsync(string command)
        {
            var words = command.Split(' ');
            await connection.GetDatabase().ExecuteAsync(words[0], words[1..], CommandFlags.None);
        }
    }

    /// <summary>What is held is kept and released, and what waits leaves: none of it takes memory. A script's first write is refused that might.</summary>
    [Theory]
    [Promise("G4", "G5")]
    [Failure("F58")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_without_memory_renews_and_releases_what_is_held(bool hasWaiter)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(builder => builder.UseRedis(server.ConnectionString, options => options.ProbeOnStart = false));
        await using var other = new TestNode(builder => builder.UseRedis(server.ConnectionString, options => options.ProbeOnStart = false));
        var (released, renewed, revoked) = (await AcquireAsync("released"), await AcquireAsync("renewed"), await AcquireAsync("revoked"));
        using var leaving = new CancellationTokenSource();
        var waiting = hasWaiter ? other.GetLock("released").AcquireAsync(leaving.Token) : Task.FromException<ILockLease>(new OperationCanceledException());
        await Eventually.IsTrueAsync(async () => !hasWaiter || (await node.Administration.InspectAsync("released", 1, Token)).WaiterCount == 1, Patience, "the waiter is queued");

        await RedisTopology.AskAsync(server, "CONFIG", "SET", "maxmemory", "1");

        Assert.Equal(RenewalResult.Renewed, await renewed.RenewAsync(Token));
        Assert.True(await node.Administration.RevokeAsync("revoked", revoked.FencingToken, TimeSpan.FromSeconds(1), Token));
        Assert.Equal(ReleaseResult.Released, await released.ReleaseAsync(Token));
        if (hasWaiter)
        {
            // Handed over, and claimed.
            var next = await waiting.WaitAsync(Patience, Token);
            await Eventually.IsTrueAsync(async () => (await node.Administration.InspectAsync("released", 1, Token)).WaiterCount == 0, Patience, "the lock is claimed");
            Assert.Equal(ReleaseResult.Released, await next.ReleaseAsync(Token));
        }

        Assert.Null((await node.Administration.InspectAsync("released", 1, Token)).Holder);

        async Task<ILockLease> AcquireAsync(string name) => await node.GetLock(name).AcquireAsync(Token);
    }

    /// <summary>Of a name that is used for the first time as well, and in any way.</summary>
    [Theory]
    [Promise("G1")]
    [Failure("F30")]
    [InlineData("new")]
    [InlineData("known")]
    public async Task A_server_without_memory_grants_nothing(string name)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(builder => builder.UseRedis(server.ConnectionString, options => options.ProbeOnStart = false));
        ILock[] locks = [node.GetLock("x-" + name), node.Provider.GetSemaphore("s-" + name, 2), node.Provider.GetReaderWriterLock("w-" + name).Write];
        foreach (var known in locks.Where(_ => name == "known"))
        {
            await (await known.AcquireAsync(Token)).DisposeAsync();
        }

        await RedisTopology.AskAsync(server, "CONFIG", "SET", "maxmemory", "1");
        foreach (var one in locks)
        {
            var error = await Assert.ThrowsAsync<LockStoreException>(() => one.TryAcquireAsync(Token));
            Assert.Contains("Raise maxmemory", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A node that made no call knows nothing, and its health check asks.</summary>
    [Theory]
    [Failure("F58")]
    [InlineData("CONFIG SET maxmemory 1", "out of memory")]
    [InlineData("CONFIG SET min-replicas-to-write 1", "replicas")]
    [InlineData("REPLICAOF 127.0.0.1 1", "redis")]
    public async Task A_server_that_takes_no_writes_gives_no_sign_of_life(string fault, string reason)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(builder => builder.UseRedis(server.ConnectionString, options => options.ProbeOnStart = false));
        await node.Administration.PingAsync(Token);

        var words = fault.Split(' ');
        await RedisTopology.AskAsync(server, words[0], words[1..]);

        var error = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(Token));
        Assert.Contains(reason, error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    [Failure("F49", "F58")]
    [Needs(Need.LongTier)]
    public async Task A_dead_shard_is_known_as_a_part_that_is_away_and_the_others_grant_their_locks()
    {
        await using var cluster = await RedisCluster.StartAsync(TimeSpan.FromSeconds(30));
        await using var node = new TestNode(builder => builder.UseRedis(cluster.ConnectionString, options => options.ProbeOnStart = false));
        var names = Enumerable.Range(0, 60).Select(i => $"work{i}").ToLookup(name => RedisCluster.MasterOf(ClusterSlot.Of(name)) == 0);
        foreach (var name in names.SelectMany(group => group))
        {
            await (await node.GetLock(name).AcquireAsync(Token)).DisposeAsync();
        }

        Assert.Single(names[true].Select(node.Store.ShardOf).Distinct());
        Assert.Equal(2, names[false].Select(node.Store.ShardOf).Distinct().Count());
        await cluster.Masters[0].KillAsync();
        var tries = names[true].Select(name => Record.ExceptionAsync(() => node.GetLock(name).TryAcquireAsync(Token)).AsTask()).ToList();
        foreach (var name in names[false])
        {
            await (await node.GetLock(name).AcquireAsync(Token).WaitAsync(TimeSpan.FromSeconds(2), Token)).DisposeAsync();
        }

        Assert.All(await Task.WhenAll(tries).WaitAsync(Patience, Token), error => Assert.IsType<LockStoreException>(error));
        Assert.Contains($"in its shard {node.Store.ShardOf(names[true].First())}:", node.Services.GetRequiredService<StoreCondition>().Trouble, StringComparison.Ordinal);
        Assert.InRange(node.Logs.GetSnapshot().Count(line => line.Id.Id is >= 1010 and <= 1013), 1, 3);
    }
}
