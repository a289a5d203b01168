using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

[Needs(Need.RedisServer)]
public sealed class RedisServerStoreTests(RedisServerFixture server) : RedisStoreTests(server);

[Needs(Need.ContainerEngine)]
public sealed class RedisContainerStoreTests(RedisContainerFixture server) : RedisStoreTests(server);

public sealed class GarnetStoreTests(GarnetFixture server) : RedisStoreTests(server);

/// <summary>What the Redis store does beyond the contract of every store: its keys, their ends of life, its tokens.</summary>
public abstract partial class RedisStoreTests(ServerFixture server) : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromSeconds(2);

    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly LockOwner _bob = new("host-2-bob", 1);
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private TestNode _node = null!;
    private ConnectionMultiplexer _connection = null!;

    private ILockStore Store => _node.Store;

    private ILockStoreAdministration Administration => _node.Administration;

    private IDatabase Database => _connection.GetDatabase();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var connectionString = await server.GetConnectionStringAsync();
        _node = new TestNode(connectionString, _prefix);
        _connection = await ConnectionMultiplexer.ConnectAsync(connectionString + ",allowAdmin=true");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // Null when the test was skipped.
        if (_node is not null)
        {
            await _connection.DisposeAsync();
            await _node.DisposeAsync();
        }
    }

    [Fact]
    public async Task Keys_have_the_prefix_the_version_and_the_name_as_their_hash_tag()
    {
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_bob, wait: true);

        string[] expected = [RecordKey, Key("alive"), Key("waiters")];
        Assert.Equal(expected, (await KeysAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_release_leaves_only_the_record_behind_and_every_key_has_an_end_of_life()
    {
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_bob, wait: true);
        foreach (var key in await KeysAsync())
        {
            Assert.NotNull(await Database.KeyTimeToLiveAsync(key));
        }

        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(_ada));
        foreach (var key in await KeysAsync())
        {
            Assert.NotNull(await Database.KeyTimeToLiveAsync(key));
        }

        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(_bob));
        Assert.Equal([RecordKey], await KeysAsync());
        Assert.Equal('F', (await RecordAsync()).State);
        Assert.InRange((await Database.KeyTimeToLiveAsync(RecordKey))!.Value, TimeSpan.FromHours(47), TimeSpan.FromDays(2));
    }

    [Fact]
    [Failure("F10")]
    public async Task A_renewal_never_makes_a_lock_and_never_touches_anothers()
    {
        Assert.Equal([RenewalReply.NotHeld], await RenewAsync(_ada, Lease));
        Assert.Empty(await KeysAsync());

        await AcquireAsync(_bob, wait: false);
        var before = await RecordAsync();
        Assert.Equal([RenewalReply.NotHeld], await RenewAsync(_ada, TimeSpan.FromHours(1)));
        Assert.Equal(before, await RecordAsync());
        Assert.Equal(_bob, (await Administration.GetHolderAsync("orders", Token))!.Owner);
    }

    [Fact]
    public async Task Each_renewal_has_its_reply_and_a_key_of_something_else_is_only_not_held()
    {
        await Store.AcquireAsync(Requests.Acquire("a", _ada, Lease, claimWindow: ClaimWindow), Token);
        await Store.AcquireAsync(Requests.Acquire("b", _bob, Lease, claimWindow: ClaimWindow), Token);
        await Database.StringSetAsync(LockText.KeyOf(_prefix, "c"), "something else");
        await Database.ListLeftPushAsync(LockText.KeyOf(_prefix, "e"), "something else");

        var held = await Store.RenewAsync(
            [Requests.Renew("a", _ada, Lease), Requests.Renew("b", _ada, Lease), Requests.Renew("c", _ada, Lease), Requests.Renew("d", _ada, Lease), Requests.Renew("e", _ada, Lease), Requests.Renew("b", _bob, Lease)], Token);

        Assert.Equal(
            [RenewalReply.Renewed, RenewalReply.NotHeld, RenewalReply.NotHeld, RenewalReply.NotHeld, RenewalReply.NotHeld, RenewalReply.Renewed], held);
    }

    [Fact]
    public async Task A_renewal_never_shortens_a_lease()
    {
        await AcquireAsync(_ada, wait: false);
        Assert.Equal([RenewalReply.Renewed], await RenewAsync(_ada, TimeSpan.FromSeconds(1)));
        Assert.True(await TimeToLiveAsync() > TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_handover_lasts_for_the_claim_window_and_a_claim_for_the_lease()
    {
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_bob, wait: true);
        await ReleaseAsync(_ada);
        Assert.InRange(await TimeToLiveAsync(), TimeSpan.Zero, ClaimWindow);

        var claim = await AcquireAsync(_bob, wait: true);

        Assert.True(claim.IsGranted);
        Assert.InRange(await TimeToLiveAsync(), Lease - TimeSpan.FromMinutes(1), Lease);
        Assert.False(await Database.KeyExistsAsync(Key("waiters")));
    }

    /// <summary>The lease does not end with it: it is the time that says when that is over.</summary>
    [Fact]
    [Failure("F44")]
    public async Task A_record_without_an_end_of_life_gets_one_back_with_the_next_grant()
    {
        await AcquireAsync(_ada, wait: false);
        await Database.KeyPersistAsync(RecordKey);
        Assert.False((await AcquireAsync(_bob, wait: false)).IsGranted);
        await ReleaseAsync(_ada);

        await AcquireAsync(_bob, wait: false);

        Assert.NotNull(await Database.KeyTimeToLiveAsync(RecordKey));
    }

    [Fact]
    [Failure("F8", "F9")]
    public async Task A_handover_tells_the_waiters_node_and_the_next_one_when_to_ask_again()
    {
        var (heardByBob, heardByCy) = (new List<LockNotification>(), new List<LockNotification>());
        var cy = new LockOwner("host-3-cy", 7);
        await using var bobs = await Store.SubscribeAsync(_bob.NodeId, notification => Add(heardByBob, notification), Token);
        await using var cys = await Store.SubscribeAsync(cy.NodeId, notification => Add(heardByCy, notification), Token);
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_bob, wait: true);
        await AcquireAsync(cy, wait: true);

        await ReleaseAsync(_ada);
        await Eventually.IsTrueAsync(() => Count(heardByBob) == 1, TimeSpan.FromMinutes(1), "the first waiter's node is told");
        Assert.Equal(LockNotification.Granted("orders", _bob), heardByBob[0] with { Handover = null });

        // The next notification is for the next waiter: had the first gone to both, it would be here by now.
        await ReleaseAsync(_bob);
        await Eventually.IsTrueAsync(() => Count(heardByCy) == 2, TimeSpan.FromMinutes(1), "the second waiter's node is told");
        Assert.Equal(LockNotification.AskAgain("orders", cy, ClaimWindow), heardByCy[0]);
        Assert.Equal(LockNotification.Granted("orders", cy), heardByCy[1] with { Handover = null });
        Assert.Equal(1, Count(heardByBob));
    }

    /// <summary>A connection of its own for notifications may still be under way when the one for commands stands.</summary>
    [Theory]
    [Failure("F1")]
    [InlineData("resp2")]
    [InlineData("resp3")]
    public async Task A_subscription_right_after_connecting_stands(string protocol)
    {
        for (var i = 0; i < 10; i++)
        {
            await using var node = new TestNode($"{await server.GetConnectionStringAsync()},protocol={protocol}", _prefix);
            var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var (ada, bob) = (new LockOwner($"ada-{i}", i), new LockOwner($"bob-{i}", i));
            await using var subscription = await node.Store.SubscribeAsync(bob.NodeId, _ => heard.TrySetResult(), Token);
            await AcquireAsync(ada, wait: false);
            await AcquireAsync(bob, wait: true);
            await ReleaseAsync(ada);
            await heard.Task.WaitAsync(TimeSpan.FromMinutes(1), Token);
            await ReleaseAsync(bob);
        }
    }

    [Fact]
    [Failure("F9")]
    public async Task Waiters_that_have_been_dead_for_long_are_forgotten()
    {
        await AcquireAsync(_ada, wait: false);
        for (var i = 0; i < 40; i++)
        {
            await AcquireAsync(new LockOwner("host-9-dead", i), wait: true);
        }

        // As if their time had come two minutes ago.
        var longAgo = (await ServerMicrosAsync() / 1000) - 120_000;
        foreach (var waiter in await Database.SortedSetRangeByRankAsync(Key("alive")))
        {
            await Database.SortedSetAddAsync(Key("alive"), waiter, longAgo);
        }

        var reply = await AcquireAsync(_bob, wait: true);

        Assert.Equal(0, reply.WaitersBefore);
        Assert.Equal([$"{_bob}#1"], (await Database.SortedSetRangeByRankAsync(Key("waiters"))).Select(waiter => (string)waiter!));
    }

    [Fact]
    [Failure("F9")]
    public async Task Many_dead_waiters_do_not_hide_a_live_one()
    {
        await AcquireAsync(_ada, wait: false);
        for (var i = 0; i < 40; i++)
        {
            await AcquireAsync(new LockOwner("host-9-dead", i), wait: true);
        }

        var justNow = (await ServerMicrosAsync() / 1000) - 1;
        foreach (var waiter in await Database.SortedSetRangeByRankAsync(Key("alive")))
        {
            await Database.SortedSetAddAsync(Key("alive"), waiter, justNow);
        }

        await AcquireAsync(_bob, wait: true);
        await ReleaseAsync(_ada);

        Assert.Equal(_bob, (await Administration.GetHolderAsync("orders", Token))!.Owner);
    }

    [Fact]
    [Promise("G9")]
    public async Task The_order_of_arrival_survives_a_clock_that_steps_back()
    {
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_bob, wait: true);
        // The one that came first did so on a clock that was an hour ahead.
        await Database.SortedSetAddAsync(Key("waiters"), $"{_bob}#1", await ServerMicrosAsync() + 3_600_000_000L);

        var reply = await AcquireAsync(new LockOwner("host-3-cy", 1), wait: true);

        Assert.Equal(1, reply.WaitersBefore);
    }

    [Fact]
    [Failure("F32")]
    public async Task Two_prefixes_do_not_meet()
    {
        await using var other = new TestNode(await server.GetConnectionStringAsync(), _prefix + "-other");
        var heard = new List<LockNotification>();
        await using var subscription = await other.Store.SubscribeAsync(_bob.NodeId, notification => Add(heard, notification), Token);
        await AcquireAsync(_ada, wait: false);

        var reply = await other.Store.AcquireAsync(Requests.Acquire("orders", _bob, Lease, claimWindow: ClaimWindow), Token);
        Assert.True(reply.IsGranted);

        await AcquireAsync(_bob, wait: true);
        await ReleaseAsync(_ada);
        await other.Administration.PingAsync(Token);
        Assert.Equal(0, Count(heard));
    }

    [Fact]
    [Failure("F27")]
    public async Task A_repeated_release_is_harmless()
    {
        await AcquireAsync(_ada, wait: false);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(_ada));
        await AcquireAsync(_bob, wait: false);

        Assert.Equal(ReleaseReply.NotHeld, await ReleaseAsync(_ada));
        Assert.Equal(_bob, (await Administration.GetHolderAsync("orders", Token))!.Owner);
    }

    private static void Add(List<LockNotification> heard, LockNotification notification)
    {
        lock (heard)
        {
            heard.Add(notification);
        }
    }

    private static int Count(List<LockNotification> heard)
    {
        lock (heard)
        {
            return heard.Count;
        }
    }

    private string RecordKey => LockText.KeyOf(_prefix, "orders");

    private string Key(string part) => $"{RecordKey}:{part}";

    private async Task<LockText> RecordAsync() => LockText.Parse((await Database.StringGetAsync(RecordKey))!);

    private async Task<TimeSpan> TimeToLiveAsync() => (await Administration.GetHolderAsync("orders", Token))!.TimeToLive;

    private Task<AcquireReply> AcquireAsync(LockOwner owner, bool wait) =>
        Store.AcquireAsync(Requests.Acquire("orders", owner, Lease, wait: wait, claimWindow: ClaimWindow), Token);

    private Task<ReleaseReply> ReleaseAsync(LockOwner owner) =>
        Store.ReleaseAsync(Requests.Release("orders", owner, ClaimWindow), Token);

    private Task<IReadOnlyList<RenewalReply>> RenewAsync(LockOwner owner, TimeSpan lease) =>
        Store.RenewAsync([Requests.Renew("orders", owner, lease)], Token);

    private async Task<string[]> KeysAsync() =>
        await _connection.GetServers()[0].KeysAsync(pattern: _prefix + ":*").Select(key => (string)key!).ToArrayAsync(Token);

    private async Task<long> ServerMicrosAsync()
    {
        var time = (RedisResult[])(await Database.ExecuteAsync("TIME"))!;
        return ((long)time[0] * 1_000_000) + (long)time[1];
    }
}
