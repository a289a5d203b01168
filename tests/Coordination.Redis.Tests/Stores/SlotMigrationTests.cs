using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Stores;

/// <summary>On a Cluster of three masters, a slot with a lock moves from one to another, and back. A move may take as long as the operator takes.</summary>
[Needs(Need.RedisServer, Need.LongTier)]
public sealed class SlotMigrationTests : IAsyncLifetime
{
    private const string Name = "orders";
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);

    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly LockOwner _bob = new("host-2-bob", 1);
    private RedisCluster? _cluster;
    private TestNode? _node;
    private int _slot;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private RedisProcess Home => _cluster!.Masters[RedisCluster.MasterOf(_slot)];

    private RedisProcess Other => _cluster!.Masters[(RedisCluster.MasterOf(_slot) + 1) % 3];

    public async ValueTask InitializeAsync()
    {
        _cluster = await RedisCluster.StartAsync(TimeSpan.FromSeconds(30));
        _slot = (int)await RedisTopology.AskAsync(_cluster.Masters[0], "CLUSTER", "KEYSLOT", $"{{{Name}}}");
        _node = new TestNode(_cluster.ConnectionString, "test");
    }

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        await _cluster!.DisposeAsync();
    }

    /// <summary>Until the keys move, the old master serves them; from then on it says ASK.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [Promise("G12")]
    [Failure("F37")]
    public async Task A_lock_is_renewed_refused_released_and_acquired_while_its_slot_moves(bool isOnTheWayBack, bool hasMoved)
    {
        var (from, to) = isOnTheWayBack ? (Other, Home) : (Home, Other);
        if (isOnTheWayBack)
        {
            await BeginAsync(Home, Other);
            await EndAsync(Other);
        }

        Assert.True(await AcquireAsync(_ada));
        await BeginAsync(from, to);
        if (hasMoved)
        {
            await MoveKeysAsync(from, to);
        }

        Assert.Equal([RenewalReply.Renewed], await _node!.Store.RenewAsync([Requests.Renew(Name, _ada, Lease)], Token));
        Assert.False(await AcquireAsync(_bob));
        Assert.Equal(ReleaseReply.Released, await _node.Store.ReleaseAsync(Requests.Release(Name, _ada, Lease), Token));
        Assert.True(await AcquireAsync(_bob));
    }

    /// <summary>A node's own renewals, for as long as the operator leaves the move as it is.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Promise("G12")]
    [Failure("F37")]
    public async Task A_lease_is_not_lost_while_its_slot_moves(bool hasMoved)
    {
        var duration = TimeSpan.FromSeconds(2);
        await using var holder = new TestNode(builder => builder.UseRedis(_cluster!.ConnectionString, o => o.KeyPrefix = "test"), o => o.LeaseDuration = duration);
        await using var lease = await holder.GetLock(Name).AcquireAsync(Token);
        await BeginAsync(Home, Other);
        if (hasMoved)
        {
            await MoveKeysAsync(Home, Other);
        }

        // A deadline that lies further away than those that were confirmed before the move.
        var began = TimeProvider.System.GetTimestamp();
        await Eventually.IsTrueAsync(() => lease.Lost.IsCancellationRequested || TimeProvider.System.GetElapsedTime(began) + lease.Remaining > 2 * duration, 3 * duration, "The lease is renewed, or lost.");
        Assert.False(lease.Lost.IsCancellationRequested, $"The lease is lost while its slot moves: {lease.LossReason}.");
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Token));
    }

    /// <summary>What a move that is over does, with no more than the client's own way of following MOVED.</summary>
    [Fact]
    [Promise("G12")]
    [Failure("F37")]
    public async Task A_lock_is_its_holders_after_its_slot_has_moved_and_after_it_has_come_back()
    {
        Assert.True(await AcquireAsync(_ada));
        foreach (var (from, to) in ((RedisProcess, RedisProcess)[])[(Home, Other), (Other, Home)])
        {
            await BeginAsync(from, to);
            await MoveKeysAsync(from, to);
            await EndAsync(to);
            Assert.Equal([RenewalReply.Renewed], await _node!.Store.RenewAsync([Requests.Renew(Name, _ada, Lease)], Token));
            Assert.False(await AcquireAsync(_bob));
        }
    }

    private async Task<bool> AcquireAsync(LockOwner owner) => (await _node!.Store.AcquireAsync(Requests.Acquire(Name, owner, Lease), Token)).IsGranted;

    private async Task BeginAsync(RedisProcess from, RedisProcess to)
    {
        await RedisTopology.AskAsync(to, "CLUSTER", "SETSLOT", _slot, "IMPORTING", await IdOfAsync(from));
        await RedisTopology.AskAsync(from, "CLUSTER", "SETSLOT", _slot, "MIGRATING", await IdOfAsync(to));
    }

    private async Task MoveKeysAsync(RedisProcess from, RedisProcess to)
    {
        var keys = (string[])(await RedisTopology.AskAsync(from, "CLUSTER", "GETKEYSINSLOT", _slot, 100))!;
        Assert.NotEmpty(keys);
        foreach (var key in keys)
        {
            await RedisTopology.AskAsync(from, "MIGRATE", "127.0.0.1", to.Port, key, 0, 5000);
        }
    }

    /// <summary>The new master first: the old one would send clients to it that it sends back.</summary>
    private async Task EndAsync(RedisProcess to)
    {
        foreach (var master in _cluster!.Masters.OrderBy(master => master != to))
        {
            await RedisTopology.AskAsync(master, "CLUSTER", "SETSLOT", _slot, "NODE", await IdOfAsync(to));
        }
    }

    private static async Task<string> IdOfAsync(RedisProcess master) => (string)(await RedisTopology.AskAsync(master, "CLUSTER", "MYID"))!;
}
