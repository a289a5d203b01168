using Coordination.Redis.Stores;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;

namespace Coordination.Redis.Tests.Stores;

/// <summary>On a redis-server of its own in Cluster mode, one that serves all slots: it refuses scripts with keys of several.</summary>
public sealed class ClusterTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>With an address of its own the server tells the client its slots; with none it only says that it is a Cluster.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("")]
    public async Task F31_LocksOnSeveralSlots_AreAcquiredRenewedPassedOnAndReleased(string announcedAddress)
    {
        await using var server = await RedisProcess.StartAsync("--cluster-enabled", "yes", "--cluster-announce-ip", announcedAddress);
        await using (var connection = await server.ConnectAsOperatorAsync())
        {
            await connection.GetServers()[0].ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
            await Eventually.IsTrueAsync(
                async () => ((string)(await connection.GetServers()[0].ExecuteAsync("CLUSTER", "INFO"))!).Contains("cluster_state:ok", StringComparison.Ordinal),
                TimeSpan.FromSeconds(20),
                "the Cluster serves its slots");
        }

        await using var node = new TestNode(server.ConnectionString, "test", probe: true);
        var (ada, bob) = (new LockOwner("host-1-ada", 1), new LockOwner("host-2-bob", 1));
        var heard = new TaskCompletionSource<LockNotification>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var subscription = await node.Store.SubscribeAsync(
            bob.NodeId, notification => _ = notification.Kind == LockNotificationKind.Granted && heard.TrySetResult(notification), Token);
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"lock-{i}")];
        foreach (var name in names)
        {
            Assert.True((await node.Store.AcquireAsync(new AcquireRequest(name, ada, 1, Lease, false, Lease), Token)).IsGranted);
        }

        Assert.All(await node.Store.RenewAsync([.. names.Select(name => new RenewalRequest(name, ada, Lease))], Token), reply => Assert.Equal(RenewalReply.Renewed, reply));
        Assert.Equal(
            [RenewalReply.NotHeld, RenewalReply.Renewed, RenewalReply.NotHeld],
            await node.Store.RenewAsync([new("lock-1", bob, Lease), new("lock-2", ada, Lease), new("lock-99", ada, Lease)], Token));

        await node.Store.AcquireAsync(new AcquireRequest("lock-7", bob, 1, Lease, true, Lease), Token);
        foreach (var name in names)
        {
            Assert.Equal(ReleaseReply.Released, await node.Store.ReleaseAsync(new ReleaseRequest(name, ada, 1, Lease), Token));
        }

        Assert.Equal(new LockNotification(LockNotificationKind.Granted, "lock-7", bob), await heard.Task.WaitAsync(TimeSpan.FromSeconds(20), Token));
    }

    /// <summary>Against CLUSTER KEYSLOT.</summary>
    [Fact]
    public async Task F31_AllKeysOfALock_AreOnTheSlotThatTheServerComputes()
    {
        await using var server = await RedisProcess.StartAsync("--cluster-enabled", "yes");
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
}
