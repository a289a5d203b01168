using Coordination.Redis.Stores;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Stores;

/// <summary>On a redis-server of its own in Cluster mode, one that serves all slots: it refuses scripts with keys of several.</summary>
[Needs(Need.RedisServer)]
public sealed class ClusterTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>With an address of its own the server tells the client its slots; with none it only says that it is a Cluster.</summary>
    [Theory]
    [Failure("F31")]
    [InlineData("127.0.0.1")]
    [InlineData("")]
    public async Task Locks_on_several_slots_are_acquired_renewed_passed_on_and_released(string announcedAddress)
    {
        await using var server = await StartAsync(announcedAddress);
        await using var node = new TestNode(server.ConnectionString, "test", probe: true);
        var (ada, bob) = (new LockOwner("host-1-ada", 1), new LockOwner("host-2-bob", 1));
        var heard = new TaskCompletionSource<LockNotification>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var subscription = await node.Store.SubscribeAsync(
            bob.NodeId, notification => _ = notification.Kind == LockNotificationKind.Granted && heard.TrySetResult(notification), Token);
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"lock-{i}")];
        foreach (var name in names)
        {
            Assert.True((await node.Store.AcquireAsync(Requests.Acquire(name, ada, Lease), Token)).IsGranted);
        }

        Assert.All(await RenewByPartitionAsync(node, [.. names.Select(name => Requests.Renew(name, ada, Lease))]), reply => Assert.Equal(RenewalReply.Renewed, reply));
        Assert.All(await RenewByPartitionAsync(node, Requests.Renew("lock-1", bob, Lease), Requests.Renew("lock-99", ada, Lease)), reply => Assert.Equal(RenewalReply.NotHeld, reply));

        await node.Store.AcquireAsync(Requests.Acquire("lock-7", bob, Lease, wait: true), Token);
        foreach (var name in names)
        {
            Assert.Equal(ReleaseReply.Released, await node.Store.ReleaseAsync(Requests.Release(name, ada, Lease), Token));
        }

        Assert.Equal(LockNotification.Granted("lock-7", bob), await heard.Task.WaitAsync(TimeSpan.FromMinutes(1), Token) with { Handover = null });
    }

    [Fact]
    [Failure("F31")]
    public async Task A_renewal_of_locks_on_several_slots_is_refused_before_anything_is_sent()
    {
        await using var server = await StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        var requests = await AcquireAsync(node, "lock-1", "lock-2");

        var error = await Assert.ThrowsAsync<ArgumentException>(() => node.Store.RenewAsync(requests, Token));

        Assert.Contains(nameof(ILockStore.PartitionOf), error.Message, StringComparison.Ordinal);
        await AssertNotRenewedAsync(node, requests);
    }

    /// <summary>The node does not know yet what it will be connected to, so all locks are of one partition to it.</summary>
    [Fact]
    [Failure("F31")]
    public async Task A_renewal_that_was_grouped_before_the_Cluster_was_known_is_grouped_anew()
    {
        await using var server = await StartAsync();
        await using var other = new TestNode(server.ConnectionString, "test");
        var requests = await AcquireAsync(other, "lock-1", "lock-2");
        await using var node = new TestNode(server.ConnectionString, "test");
        Assert.Equal(node.Store.PartitionOf("lock-1"), node.Store.PartitionOf("lock-2"));

        await AssertIsGroupedAnewAsync(node, requests);
    }

    /// <summary>Where the client may not ask what the server is, only the refusal tells that it is a Cluster.</summary>
    [Fact]
    [Failure("F31", "F54")]
    public async Task A_renewal_that_the_server_refuses_for_its_slots_is_grouped_anew()
    {
        await using var server = await StartAsync();
        await using var node = new TestNode(server.ConnectionString + ",$HELLO=,$CLUSTER=,$INFO=", "test");
        var requests = await AcquireAsync(node, "lock-1", "lock-2");
        Assert.Equal(node.Store.PartitionOf("lock-1"), node.Store.PartitionOf("lock-2"));

        await AssertIsGroupedAnewAsync(node, requests);
    }

    /// <summary>As the watchdog does it: one script per slot from the refusal on, and no lease is lost by it.</summary>
    [Fact]
    [Failure("F54")]
    public async Task Leases_on_a_server_that_shards_behind_one_address_are_renewed()
    {
        await using var server = await StartAsync();
        await using var node = new TestNode(
            builder => builder.UseRedis(server.ConnectionString + ",$HELLO=,$CLUSTER=,$INFO="),
            options => (options.LeaseDuration, options.RenewalInterval) = (TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(1)));
        var start = TimeProvider.System.GetTimestamp();
        var leases = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => node.GetLock($"lock-{i}").AcquireAsync(Token)));

        await Eventually.IsTrueAsync(() => TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromSeconds(9), TimeSpan.FromMinutes(1), "longer than the lease");

        Assert.All(leases, lease => Assert.False(lease.Lost.IsCancellationRequested));
        await using var connection = await server.ConnectAsOperatorAsync();
        var errors = (await connection.GetServers()[0].InfoAsync("errorstats")).Single().ToDictionary(line => line.Key, line => line.Value);
        Assert.True(!errors.TryGetValue("errorstat_CROSSSLOT", out var refusals) || refusals == "count=1", refusals);
        await Task.WhenAll(leases.Select(lease => lease.DisposeAsync().AsTask()));
    }

    /// <summary>Against CLUSTER KEYSLOT.</summary>
    [Fact]
    [Failure("F31")]
    public async Task All_keys_of_a_lock_are_on_the_slot_that_the_server_computes()
    {
        await using var server = await RedisProcess.StartInClusterModeAsync();
        await using var connection = await server.ConnectAsOperatorAsync();
        var keys = new LockKeys("test");
        foreach (var name in (string[])["orders", "a", "Bestellungen/Grün", "x:y:z", new string('n', 512)])
        {
            foreach (var key in keys.All(name))
            {
                var slot = (int)await connection.GetServers()[0].ExecuteAsync("CLUSTER", "KEYSLOT", key);
                Assert.Equal(slot, ClusterSlot.Of(name));
            }
        }
    }

    private static async Task<RedisProcess> StartAsync(string announcedAddress = "127.0.0.1")
    {
        var server = await RedisProcess.StartInClusterModeAsync("--cluster-announce-ip", announcedAddress);
        await using var connection = await server.ConnectAsOperatorAsync();
        await connection.GetServers()[0].ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
        await Eventually.IsTrueAsync(
            async () => ((string)(await connection.GetServers()[0].ExecuteAsync("CLUSTER", "INFO"))!).Contains("cluster_state:ok", StringComparison.Ordinal),
            TimeSpan.FromSeconds(20),
            "the Cluster serves its slots");
        return server;
    }

    /// <returns>Renewals of what was acquired, which would make the leases longer.</returns>
    private static async Task<RenewalRequest[]> AcquireAsync(TestNode node, params string[] names)
    {
        var ada = new LockOwner("host-1-ada", 1);
        foreach (var name in names)
        {
            Assert.True((await node.Store.AcquireAsync(Requests.Acquire(name, ada, Lease), Token)).IsGranted);
        }

        return [.. names.Select(name => Requests.Renew(name, ada, 2 * Lease))];
    }

    /// <summary>As callers do.</summary>
    private static async Task<IEnumerable<RenewalReply>> RenewByPartitionAsync(TestNode node, params RenewalRequest[] requests)
    {
        var batches = requests.GroupBy(request => node.Store.PartitionOf(request.LockName)).ToArray();
        return (await Task.WhenAll(batches.Select(batch => node.Store.RenewAsync([.. batch], Token)))).SelectMany(replies => replies);
    }

    private static async Task AssertIsGroupedAnewAsync(TestNode node, RenewalRequest[] requests)
    {
        var error = await Assert.ThrowsAsync<LockStoreException>(() => node.Store.RenewAsync(requests, Token));

        Assert.True(error.IsTransient, error.ToString());
        Assert.Contains(nameof(ILockStore.PartitionOf), error.Message, StringComparison.Ordinal);
        await AssertNotRenewedAsync(node, requests);
        Assert.NotEqual(node.Store.PartitionOf(requests[0].LockName), node.Store.PartitionOf(requests[1].LockName));
        Assert.All(await RenewByPartitionAsync(node, requests), reply => Assert.Equal(RenewalReply.Renewed, reply));
    }

    private static async Task AssertNotRenewedAsync(TestNode node, RenewalRequest[] requests)
    {
        foreach (var request in requests)
        {
            Assert.True((await node.Administration.GetHolderAsync(request.LockName, Token))!.TimeToLive <= Lease);
        }
    }
}
