using System.Collections.Concurrent;
using System.Globalization;
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
    private const long HeldToken = 1767225600000123;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private readonly LockOwner _ada = new("host-1-ada", 7);
    private readonly LockOwner _bob = new(WaiterNode, 3);
    private TestNode? _node;
    private ConnectionMultiplexer? _operator;

    private static Occurrence Monday => new() { Series = "daily", Time = DateTimeOffset.UnixEpoch.AddSeconds(1_767_225_600), Run = "host-1-ada/1", RememberFor = TimeSpan.FromHours(1) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ILockStore Store => _node!.Store;

    private ILockStoreAdministration Administration => _node!.Administration;

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
        var token = (await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease, entry: 9, occurrence: Monday), Token)).FencingToken;
        Assert.Equal($"{token}{token}H000030000{Holder}#9", await RecordAsync());
        Assert.Equal([("run", "host-1-ada/1"), ("time", "1767225600000000")], await OccurrenceAsync());

        await Store.AcquireAsync(Requests.Acquire(Name, _bob, Lease, entry: 4, wait: true), Token);
        Assert.Equal($"{token}{token}H100030000{Holder}#9", await RecordAsync());
        Assert.Equal(Waiter + "#4", Assert.Single(await Database.SortedSetRangeByRankAsync(Key("waiters"))));
        Assert.Equal(Waiter + "#4", Assert.Single(await Database.SortedSetRangeByRankAsync(Key("alive"))));

        await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease, entry: 10), Token);
        Assert.Matches($"^{token}[0-9]{{16}}H100030000{Holder}#9,10$", await RecordAsync());
        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 10), Token);
        Assert.Matches($"^{token}[0-9]{{16}}H100030000{Holder}#9$", await RecordAsync());

        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 9, occurrence: Monday), Token);
        token = (await HolderAsync())!.FencingToken;
        Assert.Equal($"{token}{token}C100030000{Waiter}#4", await RecordAsync());
        Assert.Equal([("done", "1"), ("run", "host-1-ada/1"), ("time", "1767225600000000")], await OccurrenceAsync());

        await Administration.RevokeAsync(Name, token.Value, Lease, Token);
        Assert.Equal($"{token}{token}F100030000{Waiter}#4\n\n{token}:{token + 30_000_000}", await RecordAsync());
    }

    [Fact]
    [Promise("G15")]
    public async Task A_lock_that_was_released_is_written_in_the_form_that_is_frozen()
    {
        var token = (await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease), Token)).FencingToken;
        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease) with { LeaseDuration = Lease }, Token);
        Assert.Equal($"{token}{token}F000030000{Holder}#1", await RecordAsync());

        token = (await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease), Token)).FencingToken;
        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, lockAtLeastFor: Lease), Token);
        Assert.Matches($"^{token}[0-9]{{16}}R0000(29|30)[0-9]{{3}}{Holder}#1$", await RecordAsync());
    }

    /// <summary>Then the record says since when the lock is held, for the token does not.</summary>
    [Fact]
    [Promise("G15")]
    public async Task A_lock_whose_token_is_ahead_of_the_clock_is_written_in_the_form_that_is_frozen()
    {
        await Database.StringSetAsync(RecordKey, $"99672256000001231767225600000123F000030000{Holder}#9", Lease);
        await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease), Token);
        Assert.Matches($"^9967225600000124([0-9]{{16}})H100030000{Holder}#1\n\\1$", await RecordAsync());
    }

    [Fact]
    [Promise("G15")]
    public async Task A_lock_and_its_waiter_in_the_frozen_form_are_renewed_shown_and_served()
    {
        await WriteAsync($"{HeldToken}{{0}}H100030000{Holder}#9");
        await QueueAsync();
        var heard = new ConcurrentQueue<LockNotification>();
        await using var subscription = await Store.SubscribeAsync(WaiterNode, heard.Enqueue, Token);

        var refused = await Store.AcquireAsync(Requests.Acquire(Name, new LockOwner("host-3-cy", 1), Lease, wait: true), Token);
        Assert.Equal((_ada, HeldToken, 1), (refused.Holder!.Owner, refused.Holder.FencingToken, refused.WaitersBefore));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddMicroseconds(HeldToken), refused.Holder.Since);
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(Name, _ada, Lease, refused.Holder.FencingToken)], Token));
        var shown = await Administration.InspectAsync(Name, 10, Token);
        Assert.Equal([_bob, new LockOwner("host-3-cy", 1)], shown.Waiters.Select(waiter => waiter.Owner));

        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 9), Token));
        await Eventually.IsTrueAsync(() => !heard.IsEmpty, Patience, "the waiter is told");
        Assert.Equal((LockNotificationKind.Granted, Name, _bob), heard.TryPeek(out var told) ? (told.Kind, told.LockName, told.Owner) : default);
        Assert.Equal((4, Lease), (told.Handover!.Entry, told.Handover.ClaimWindow));
        var claimed = await Store.AcquireAsync(Requests.Acquire(Name, _bob, Lease, entry: 4, wait: true), Token);
        Assert.True(claimed.FencingToken > refused.Holder.FencingToken);
        Assert.Equal(told.Handover.FencingToken, claimed.FencingToken);
    }

    [Fact]
    [Promise("G15")]
    public async Task Notes_and_ranks_are_written_in_the_form_that_is_frozen()
    {
        var token = (await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease, entry: 9) with { Note = "v2", Rank = 7 }, Token)).FencingToken;
        Assert.Equal($"{token}{token}H000030000{Holder}#9|7|djI", await RecordAsync());
        await Store.AcquireAsync(Requests.Acquire(Name, _bob, Lease, entry: 4, wait: true) with { Rank = -1 }, Token);
        Assert.Equal(Waiter + "#4|-1|", Assert.Single(await Database.SortedSetRangeByRankAsync(Key("waiters"))));
        var heard = new ConcurrentQueue<string>();
        await _operator!.GetSubscriber().SubscribeAsync(Channel, (_, text) => heard.Enqueue(text!));
        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 9) with { Note = "v2", Rank = 7 }, Token);
        token = (await HolderAsync())!.FencingToken;
        Assert.Equal($"{token}{token}C100030000{Waiter}#4|-1|", await RecordAsync());
        Assert.True(await Administration.AskToStepDownAsync(Name, token.Value, new StepDownRequest { StayAway = TimeSpan.FromSeconds(5), Successor = "host-1-ada", Call = 7 }, Token));
        await Eventually.IsTrueAsync(() => heard.Count == 2, Patience, "both are heard");
        Assert.Equal(
            [$"granted\n{Name}\n{Waiter}#4|-1|\n{token}\n{token}\n30000", $"stepdown\n{Name}\n{Waiter}#4|-1|\n{token}\n5000\nhost-1-ada\n7"], heard.Order(StringComparer.Ordinal));
    }

    [Theory]
    [Promise("G15")]
    [InlineData("H0{1}{2}#9", 30, false)]
    [InlineData("H0{1}{2}#9,10,11", 30, false)]
    [InlineData("H0{1}{2}#9|7|djI", 30, false)]
    [InlineData("H0{1}{2}#8,9|7|djI,10|-1|", 30, false)]
    [InlineData("H1{1}{2}#9\n{0}", 30, false)]
    [InlineData("C1{1}{2}#9\n\n1767225600000100:9967225600000000", 30, false)]
    [InlineData("R0{1}{2}#9", 30, true)]
    [InlineData("F0{1}{2}#9", 0, false)]
    [InlineData("F1{1}{2}#9\n\n1767225600000100:9967225600000000,1767225600000110:9967225600000000", 0, false)]
    public async Task A_record_in_any_frozen_form_is_understood(string form, int lasts, bool isReleased)
    {
        var from = await WriteAsync($"{HeldToken}{{0}}{string.Format(CultureInfo.InvariantCulture, form, "{0}", "00030000", Holder)}");

        var holder = await HolderAsync();
        Assert.Equal(lasts > 0, holder is not null);
        if (holder is not null)
        {
            Assert.Equal((_ada, HeldToken, isReleased), (holder.Owner, holder.FencingToken, holder.IsReleased));
            Assert.InRange(holder.TimeToLive, Lease - Patience, Lease);
            Assert.Equal(form.Contains("|djI", StringComparison.Ordinal) ? ("v2", 7) : (null, 0), (holder.Note, holder.Rank));
            Assert.Equal(form.EndsWith("{0}", StringComparison.Ordinal) ? from : HeldToken, (holder.Since - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        }

        var isRevoked = form.Contains("100:", StringComparison.Ordinal);
        var replies = await Store.RenewAsync([Requests.Renew(Name, _bob, Lease, 1767225600000100), Requests.Renew(Name, _bob, Lease, 1767225600000101), Requests.Renew(Name, _ada, Lease)], Token);
        Assert.Equal([isRevoked ? RenewalReply.Revoked : RenewalReply.NotHeld, RenewalReply.NotHeld, lasts > 0 && !isReleased ? RenewalReply.Renewed : RenewalReply.NotHeld], replies);
        Assert.Equal(lasts == 0, (await Store.AcquireAsync(Requests.Acquire(Name, _bob, Lease), Token)).IsGranted);
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
        await _operator!.GetSubscriber().SubscribeAsync(Channel, (_, text) => heard.Enqueue(text!));
        await WriteAsync($"{HeldToken}{{0}}H100030000{Holder}#9");
        await QueueAsync();
        await Store.ReleaseAsync(Requests.Release(Name, _ada, TimeSpan.FromSeconds(2), entry: 9, allowBarging: true), Token);
        await WriteAsync($"{HeldToken}{{0}}H100030000{Holder}#9");
        await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 9), Token);
        var token = (await HolderAsync())!.FencingToken;
        await Administration.RevokeAsync(Name, token, Lease, Token);

        await Eventually.IsTrueAsync(() => heard.Count == 3, Patience, "all are heard");
        Assert.Equal([$"again\n{Name}\n{Waiter}#4\n0", $"granted\n{Name}\n{Waiter}#4\n{token}\n{token}\n30000", $"revoked\n{Name}\n{Waiter}#4\n{token}"], heard.Order(StringComparer.Ordinal));
    }

    [Fact]
    [Promise("G15")]
    public async Task Notifications_in_the_frozen_form_are_understood_and_others_let_be()
    {
        var heard = new ConcurrentQueue<LockNotification>();
        await using var subscription = await Store.SubscribeAsync(WaiterNode, notification => heard.Enqueue(WithoutClock(notification)), Token);
        var granted = $"granted\n{Name}\n{Waiter}#4\n5\n{HeldToken}\n2000";
        foreach (var text in (string[])
            [
                $"moved\n{Name}\n{Waiter}#4\n5", $"{granted}\nmore", $"granted\n{Name}\n{Waiter}\n5", "granted", string.Empty,
                $"stepdown\n{Name}\n{Waiter}#4\n5\n0\na/b\n7", $"stepdown\n{Name}\n{Waiter}#4\n5\n9000000000000000\n\n7", $"stepdown\n{Name}\n{Waiter}#4\n5\n0\n", $"stepdown\n{Name}\n{Waiter}#4\n5",
                granted, $"again\n{Name}\n{Waiter}#4\n2000", $"revoked\n{Name}\n{Waiter}#4\n5", $"stepdown\n{Name}\n{Waiter}#4,5|7|djI\n5\n0\n\n7",
            ])
        {
            await Database.PublishAsync(Channel, text);
        }

        await Eventually.IsTrueAsync(() => heard.Count == 4, Patience, "what is known is heard");

        // Each is told by a thread of its own.
        var handover = new LockHandover { Entry = 4, FencingToken = 5, At = DateTimeOffset.UnixEpoch.AddMicroseconds(HeldToken), ClaimWindow = TimeSpan.FromSeconds(2) };
        Assert.Equal(
            [LockNotification.Granted(Name, _bob, handover), LockNotification.AskAgain(Name, _bob, TimeSpan.FromSeconds(2)), LockNotification.Revoked(Name, _bob, 5), LockNotification.StepDown(Name, _bob, 5, new StepDownRequest { Call = 7 })],
            heard.OrderBy(notification => notification.Kind));
    }

    /// <summary>Of which clock it is no text says.</summary>
    private static LockNotification WithoutClock(LockNotification notification) =>
        notification.Handover is { } handover ? notification with { Handover = handover with { StoreClock = 0 } } : notification;

    private string RecordKey => $"{_prefix}:v2:{{{Name}}}";

    private RedisChannel Channel => RedisChannel.Literal($"{_prefix}:v2:node:{WaiterNode}");

    private string Key(string part) => $"{RecordKey}:{part}";

    private async Task<string> RecordAsync() => (await Database.StringGetAsync(RecordKey))!;

    private Task<LockHolder?> HolderAsync() => Administration.GetHolderAsync(Name, Token);

    private async Task<List<(string Name, string Value)>> OccurrenceAsync() =>
        [.. (await Database.HashGetAllAsync(Key("occurrence:daily"))).Select(field => (Name: field.Name.ToString(), Value: field.Value.ToString())).OrderBy(field => field.Name, StringComparer.Ordinal)];

    /// <summary>Writes a record as of now.</summary>
    /// <param name="form">The text, with {0} for the time.</param>
    /// <returns>That time, in µs.</returns>
    private async Task<long> WriteAsync(string form)
    {
        var now = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        await Database.StringSetAsync(RecordKey, form.Replace("{0}", now.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), TimeSpan.FromDays(2));
        return now;
    }

    /// <summary>One waiter, in a queue as it is written.</summary>
    private async Task QueueAsync()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await Database.SortedSetAddAsync(Key("waiters"), Waiter + "#4", now * 1000d);
        await Database.SortedSetAddAsync(Key("alive"), Waiter + "#4", now + 60_000d);
    }
}
