using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;

namespace Coordination.Redis.Tests.Failover;

/// <summary>The master is away, its replica is in reach and replies to what it is asked: nothing that a lock hangs on is asked of it.</summary>
[Needs(Need.RedisServer)]
public sealed class MasterAwayTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly LockOwner _bob = new("host-2-bob", 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F38")]
    [Promise("G12")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_only_a_replica_in_reach_nothing_is_answered_from_it(bool scriptsAreUnknown)
    {
        await using var servers = await RedisPair.StartAsync();
        // In whatever order they are named.
        var names = servers.ConnectionString.Split(',');
        await using var node = new TestNode(string.Join(',', scriptsAreUnknown ? names.Reverse() : names), "test");
        Assert.True((await node.Store.AcquireAsync(Requests.Acquire("orders", _ada, Lease), Token)).IsGranted);
        Assert.Equal([RenewalReply.Renewed], await node.Store.RenewAsync([Requests.Renew("orders", _ada, Lease)], Token));
        Assert.Equal(ReleaseReply.NotHeld, await node.Store.ReleaseAsync(Requests.Release("orders", _bob, Lease), Token));
        await using var replica = await servers.Replica.ConnectAsOperatorAsync();
        await Eventually.IsTrueAsync(() => replica.GetDatabase().KeyExistsAsync(LockText.KeyOf("test", "orders")), Patience, "the replica has the lock");
        if (!scriptsAreUnknown)
        {
            await LoadScriptsAsync(replica);
        }

        await servers.Master.KillAsync();
        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(line => line.Id.Id == 1101), Patience, "the connection to the master is lost");

        var replied = new List<string>();
        foreach (var (name, operation) in (IEnumerable<(string, Func<Task>)>)
            [
                ("acquire a lock that is held", () => node.Store.AcquireAsync(Requests.Acquire("orders", _bob, Lease), Token)),
                ("wait for a lock that is held", () => node.Store.AcquireAsync(Requests.Acquire("orders", _bob, Lease, wait: true), Token)),
                ("acquire a lock that is free", () => node.Store.AcquireAsync(Requests.Acquire("others", _bob, Lease), Token)),
                ("renew", () => node.Store.RenewAsync([Requests.Renew("orders", _ada, Lease)], Token)),
                // The replica may not have heard of it yet.
                ("renew what the replica lacks", () => node.Store.RenewAsync([Requests.Renew("others", _ada, Lease)], Token)),
                ("release", () => node.Store.ReleaseAsync(Requests.Release("orders", _ada, Lease), Token)),
                ("release what the replica lacks", () => node.Store.ReleaseAsync(Requests.Release("others", _ada, Lease), Token)),
                ("revoke what the replica lacks", () => node.Administration.RevokeAsync("others", 1, Lease, Token)),
                ("look at the holder", () => node.Administration.GetHolderAsync("orders", Token)),
                ("inspect", () => node.Administration.InspectAsync("orders", 10, Token)),
                ("list", () => node.Administration.ListAsync(null, Token)),
                ("ping", () => node.Administration.PingAsync(Token)),
            ])
        {
            if (await FailureOfAsync(operation) is not { IsTransient: true })
            {
                replied.Add(name);
            }
        }

        Assert.Empty(replied);
    }

    [Fact]
    [Failure("F38")]
    public async Task With_only_a_replica_in_reach_a_node_that_starts_examines_nothing_and_starts()
    {
        await using var servers = await RedisPair.StartAsync();
        await servers.Master.KillAsync();
        await using var node = new TestNode(servers.ConnectionString, "test", probe: true);

        var failure = await FailureOfAsync(() => node.RedisStore.EnsureFitAsync(Token));

        Assert.True(failure is { IsTransient: true }, failure?.ToString());
    }

    private static async Task LoadScriptsAsync(StackExchange.Redis.ConnectionMultiplexer server)
    {
        foreach (var script in (Scripts.RedisScript[])
            [Scripts.RedisScript.Acquire, Scripts.RedisScript.Renew, Scripts.RedisScript.Release, Scripts.RedisScript.Revoke, Scripts.RedisScript.Holder, Scripts.RedisScript.Inspect])
        {
            await server.GetServers()[0].ExecuteAsync("SCRIPT", "LOAD", script.Text);
        }
    }

    private static async Task<LockStoreException?> FailureOfAsync(Func<Task> operation)
    {
        try
        {
            await operation();
            return null;
        }
        catch (LockStoreException failure)
        {
            return failure;
        }
    }
}
