using System.Collections.Concurrent;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <summary>
/// G15: what nodes of one version write, as those of the next read it while both are in use. The texts here are frozen: what is on a server, or on its way to
/// a node, when an application is updated looks like this.
/// </summary>
[Needs(Need.RedisServer)]
public sealed class TwoVersionsTests(RedisServerFixture server) : IAsyncLifetime
{
    private const string Name = "orders";
    private const string Holder = "host-1-ada/7";
    private const string WaiterNode = "host-2-bob";
    private const string Waiter = WaiterNode + "/3";
    private const string HeldToken = "1767225600000123";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private readonly LockOwner _ada = new("host-1-ada", 7);
    private readonly LockOwner _bob = new(WaiterNode, 3);
    private TestNode? _node;
    private ConnectionMultiplexer? _operator;

    private static Occurrence Monday => new() { Series = "daily", Time = DateTimeOffset.UnixEpoch.AddSeconds(1_767_225_600), Run = "host-1-ada/1", RememberFor = TimeSpan.FromHours(1) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ILockStore Store => _node!.Store;

    private IDatabase Database => _operator!.GetDatabase();

    public async ValueTask InitializeAsync()
    {
        _node = new TestNode(await server.GetConnectionStringAsync(), _prefix);
        _operator = await server.ConnectAsOperatorAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        await _operator!.DisposeAsync();
    }

    [Fact]
    [Promise("G15")]
    public async Task A_lock_its_queue_and_its_occurrence_are_written_in_the_form_that_is_frozen()
    {
        var granted = await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease, entry: 9, occurrence: Monday), Token);
        await Store.AcquireAsync(Requests.Acquire(Name, _bob, Lease, entry: 4, wait: true), Token);

        var token = granted.FencingToken!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal([("e:9", "1"), ("owner", Holder), ("since", token), ("token", token)], await HashAsync("lock"));
        Assert.Equal(token, await Database.StringGetAsync(Key("token")));
        Assert.Equal(Waiter + "#4", Assert.Single(await Database.SortedSetRangeByRankAsync(Key("waiters"))));
        Assert.Equal(Waiter + "#4", Assert.Single(await Database.SortedSetRangeByRankAsync(Key("alive"))));
        Assert.Equal([("run", "host-1-ada/1"), ("time", "1767225600000000")], await HashAsync("occurrence:daily"));

        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 9, occurrence: Monday), Token);
        Assert.Equal([("claim", "4"), ("owner", Waiter)], (await HashAsync("lock")).Where(field => field.Name is "claim" or "owner"));
        Assert.Equal([("done", "1"), ("run", "host-1-ada/1"), ("time", "1767225600000000")], await HashAsync("occurrence:daily"));

        var passed = (await HashAsync("lock")).Single(field => field.Name == "token").Value;
        await ((ILockStoreAdministration)Store).RevokeAsync(Name, long.Parse(passed, System.Globalization.CultureInfo.InvariantCulture), Lease, Token);
        Assert.Contains(await HashAsync("revoked"), field => field.Name == passed);
    }

    [Fact]
    [Promise("G15")]
    public async Task A_lock_and_its_waiter_in_the_frozen_form_are_renewed_shown_and_served()
    {
        await WriteAsync();
        var heard = new ConcurrentQueue<LockNotification>();
        await using var subscription = await Store.SubscribeAsync(WaiterNode, heard.Enqueue, Token);

        var refused = await Store.AcquireAsync(Requests.Acquire(Name, new LockOwner("host-3-cy", 1), Lease, wait: true), Token);
        Assert.Equal((_ada, long.Parse(HeldToken, System.Globalization.CultureInfo.InvariantCulture), 1), (refused.Holder!.Owner, refused.Holder.FencingToken, refused.WaitersBefore));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddMicroseconds(1_767_225_600_000_123), refused.Holder.Since);
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(Name, _ada, Lease, refused.Holder.FencingToken)], Token));
        var shown = await ((ILockStoreAdministration)Store).InspectAsync(Name, 10, Token);
        Assert.Equal([_bob, new LockOwner("host-3-cy", 1)], shown.Waiters.Select(waiter => waiter.Owner));

        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 9), Token));
        await Eventually.IsTrueAsync(() => !heard.IsEmpty, Patience, "the waiter is told");
        Assert.Equal((LockNotificationKind.Granted, Name, _bob), heard.TryPeek(out var told) ? (told.Kind, told.LockName, told.Owner) : default);
        var claimed = await Store.AcquireAsync(Requests.Acquire(Name, _bob, Lease, entry: 4, wait: true), Token);
        Assert.True(claimed.FencingToken > refused.Holder.FencingToken);
    }

    [Theory]
    [Promise("G15")]
    [InlineData(null, OccurrenceStatus.Recovering)]
    [InlineData("1", OccurrenceStatus.AlreadyRun)]
    public async Task An_occurrence_in_the_frozen_form_is_recovered_or_known_to_be_done(string? done, OccurrenceStatus expected)
    {
        await Database.HashSetAsync(Key("occurrence:daily"), [new("time", "1767225600000000"), new("run", "host-1-ada/1"), .. done is null ? [] : new[] { new HashEntry("done", done) }]);
        var reply = await Store.AcquireAsync(Requests.Acquire(Name, _bob, Lease, occurrence: Monday with { Run = "host-2-bob/1", Recover = true }), Token);
        Assert.Equal((expected, "host-1-ada/1"), (reply.OccurrenceStatus, reply.OccurrenceRun));
    }

    [Fact]
    [Promise("G15")]
    public async Task Notifications_are_written_in_the_form_that_is_frozen()
    {
        var heard = new ConcurrentQueue<string>();
        var channel = RedisChannel.Literal($"{_prefix}:v1:node:{WaiterNode}");
        await _operator!.GetSubscriber().SubscribeAsync(channel, (_, text) => heard.Enqueue(text!));
        await WriteAsync();
        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 9), Token);
        var token = (await HashAsync("lock")).Single(field => field.Name == "token").Value;
        await ((ILockStoreAdministration)Store).RevokeAsync(Name, long.Parse(token, System.Globalization.CultureInfo.InvariantCulture), Lease, Token);

        await Eventually.IsTrueAsync(() => heard.Count == 2, Patience, "both are heard");
        Assert.Equal([$"granted\n{Name}\n{Waiter}\n{token}", $"revoked\n{Name}\n{Waiter}\n{token}"], heard.Order(StringComparer.Ordinal));
    }

    [Fact]
    [Promise("G15")]
    public async Task Notifications_in_the_frozen_form_are_understood_and_later_ones_let_be()
    {
        var heard = new ConcurrentQueue<LockNotification>();
        await using var subscription = await Store.SubscribeAsync(WaiterNode, heard.Enqueue, Token);
        var channel = RedisChannel.Literal($"{_prefix}:v1:node:{WaiterNode}");
        foreach (var text in (string[])[$"moved\n{Name}\n{Waiter}\n5", $"granted\n{Name}\n{Waiter}\n5\nmore", "granted", string.Empty, $"granted\n{Name}\n{Waiter}\n5", $"again\n{Name}\n{Waiter}\n2000", $"revoked\n{Name}\n{Waiter}\n5"])
        {
            await Database.PublishAsync(channel, text);
        }

        await Eventually.IsTrueAsync(() => heard.Count == 3, Patience, "what is known is heard");

        // Each is told by a thread of its own.
        Assert.Equal(
            [LockNotification.Granted(Name, _bob), LockNotification.AskAgain(Name, _bob, TimeSpan.FromSeconds(2)), LockNotification.Revoked(Name, _bob, 5)],
            heard.OrderBy(notification => notification.Kind));
    }

    private string Key(string part) => $"{_prefix}:v1:{{{Name}}}:{part}";

    private async Task<List<(string Name, string Value)>> HashAsync(string part) =>
        [.. (await Database.HashGetAllAsync(Key(part))).Select(field => (Name: field.Name.ToString(), Value: field.Value.ToString())).OrderBy(field => field.Name, StringComparer.Ordinal)];

    /// <summary>A lock that is held, and one waiter, as the first protocol writes them.</summary>
    private async Task WriteAsync()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await Database.HashSetAsync(Key("lock"), [new("owner", Holder), new("token", HeldToken), new("since", HeldToken), new("e:9", "1")]);
        await Database.StringSetAsync(Key("token"), HeldToken, TimeSpan.FromDays(1));
        await Database.SortedSetAddAsync(Key("waiters"), Waiter + "#4", now * 1000d);
        await Database.SortedSetAddAsync(Key("alive"), Waiter + "#4", now + 60_000d);
        foreach (var key in (string[])["lock", "waiters", "alive"])
        {
            await Database.KeyExpireAsync(Key(key), Lease);
        }
    }
}
