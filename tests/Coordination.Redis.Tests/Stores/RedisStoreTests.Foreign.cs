using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <content>Keys of locks that something else wrote.</content>
public abstract partial class RedisStoreTests
{
    /// <summary>Of which Garnet says that it has no value where a text is asked for.</summary>
    private const string? Hash = null;

    /// <summary>A hash with the field that says of what kind a lock is.</summary>
    private const string HashOfOthers = "@";

    private const string List = "list";

    private static readonly LockShare[] Shares = [LockShare.PermitOf(2), LockShare.Read, LockShare.Write];

    /// <summary>As a later release may write a record, or another application its text or its hash: it is neither guessed at nor overwritten.</summary>
    [Theory]
    [Failure("F30", "F32")]
    [Promise("G15")]
    [InlineData(Hash)]
    [InlineData(HashOfOthers)]
    [InlineData(List)]
    [InlineData("")]
    [InlineData("something else")]
    [InlineData("something else that is longer than the part of a record before its owner")]
    [InlineData("17672256000001231767225600000123X000030000ada/7#9")]
    [InlineData("17672256000001231767225600000123H200030000ada/7#9")]
    [InlineData("17672256000001231767225600000123H00003000.ada/7#9")]
    [InlineData("17672256000001231767225600000123F00003000.ada/7#9")]
    [InlineData("1767225600000123,767225600000123H000030000ada/7#9")]
    [InlineData("1767225600000123,767225600000123F000030000ada/7#9")]
    public async Task What_something_else_wrote_under_a_locks_key_is_no_lock_and_all_say_so(string? text)
    {
        await WriteForeignAsync(text);
        var waiting = Requests.Acquire("orders", _ada, Lease, wait: true, claimWindow: ClaimWindow);
        var occurrence = new Occurrence { Series = "daily", Time = DateTimeOffset.UnixEpoch.AddDays(20_000), Run = "1", RememberFor = Lease };
        string?[] said =
        [
            await SaidByAsync(() => Store.AcquireAsync(waiting with { Wait = false }, Token)),
            await SaidByAsync(() => Store.AcquireAsync(waiting, Token)),
            await SaidByAsync(() => Store.AcquireAsync(waiting with { AllowBarging = true }, Token)),
            await SaidByAsync(() => Store.AcquireAsync(waiting with { Occurrence = occurrence }, Token)),
            await SaidByAsync(() => Store.ReleaseAsync(Requests.Release("orders", _ada, ClaimWindow), Token)),
            await SaidByAsync(() => Store.ReleaseAsync(Requests.Release("orders", _ada, ClaimWindow) with { LeaseDuration = Lease }, Token)),
            await SaidByAsync(() => Administration.RevokeAsync("orders", 1, ClaimWindow, Token)),
            await SaidByAsync(() => Administration.GetHolderAsync("orders", Token)),
            await SaidByAsync(() => Administration.InspectAsync("orders", 10, Token)),
            .. await Task.WhenAll(Shares.Select(share => SaidByAsync(() => Store.AcquireAsync(waiting with { Share = share, Wait = false }, Token)))),
            .. await Task.WhenAll(Shares.Select(share => SaidByAsync(() => Store.AcquireAsync(waiting with { Share = share }, Token)))),
            .. await Task.WhenAll(Shares.Select(share => SaidByAsync(() => Store.ReleaseAsync(Requests.Release("orders", _ada, ClaimWindow) with { Share = share }, Token)))),
        ];

        Assert.Equal([$"something else wrote the key '{RecordKey}', or one of its queue. Delete it, or set another Coordination:Redis:KeyPrefix."], said.Distinct());
        Assert.Equal([RenewalReply.NotHeld], await Store.RenewAsync([Requests.Renew("orders", _ada, Lease)], Token));
        Assert.Equal([RenewalReply.NotHeld], await Store.RenewAsync([Requests.Renew("orders", _ada, Lease, 1) with { ClaimedEntry = 1 }], Token));
        Assert.Equal([RenewalReply.NotHeld], await Store.RenewAsync([Requests.Renew("orders", _ada, Lease) with { Share = LockShare.Read }], Token));
        Assert.Empty((await Administration.ListAsync(null, Token)).LockNames);
        Assert.Equal([RecordKey], await KeysAsync());
        await AssertIsStillAsync(text);
    }

    /// <summary>A part of a lock that was deleted by hand: what is left is shown, and stays in order.</summary>
    [Fact]
    [Failure("F30")]
    public async Task A_waiter_of_which_the_store_lost_what_it_wants_is_shown_all_the_same()
    {
        var bob = new LockOwner("host-2-bob", 1);
        var request = Requests.Acquire("orders", _ada, Lease, claimWindow: ClaimWindow);
        Assert.True((await Store.AcquireAsync(request with { Share = LockShare.Read }, Token)).IsGranted);
        Assert.False((await Store.AcquireAsync(request with { Owner = bob, Share = LockShare.Write, Wait = true }, Token)).IsGranted);
        Assert.True(await Database.HashDeleteAsync(RecordKey, $"?{bob}#{request.Entry}"));

        var shown = await Administration.InspectAsync("orders", 10, Token);
        Assert.Equal(LockCapacity.ReaderWriter, shown.Capacity);
        Assert.Equal((bob, null), (Assert.Single(shown.Waiters).Owner, shown.Waiters[0].Share));
        Assert.Equal(_ada, Assert.Single(shown.Holders).Owner);
    }

    /// <summary>As many of one node's requests as go together.</summary>
    [Theory]
    [Failure("F30", "F32")]
    [InlineData(Hash)]
    [InlineData("")]
    public async Task What_something_else_wrote_is_no_lock_for_requests_that_go_together(string? text)
    {
        await WriteForeignAsync(text);
        var asking = Enumerable.Range(1, 100).Select(i => SaidByAsync(() => Store.AcquireAsync(Requests.Acquire("orders", new LockOwner("host-1-ada", i), Lease, claimWindow: ClaimWindow), Token)));

        Assert.All(await Task.WhenAll(asking), Assert.NotNull);
        Assert.Equal([RecordKey], await KeysAsync());
        await AssertIsStillAsync(text);
    }

    private static async Task<string?> SaidByAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            await ask();
            return null;
        }
        catch (LockStoreException e)
        {
            Assert.False(e.IsTransient);
            Assert.Contains("'orders'", e.Message, StringComparison.Ordinal);
            return e.Message[(e.Message.IndexOf(": ", StringComparison.Ordinal) + 2)..];
        }
    }

    private Task WriteForeignAsync(string? text) => text switch
    {
        Hash => Database.HashSetAsync(RecordKey, "colour", "blue", When.Always),
        HashOfOthers => Database.HashSetAsync(RecordKey, "@", "blue", When.Always),
        List => Database.ListRightPushAsync(RecordKey, "blue"),
        _ => Database.StringSetAsync(RecordKey, text),
    };

    private async Task AssertIsStillAsync(string? text)
    {
        var (expected, actual) = text switch
        {
            Hash => ("blue", await Database.HashGetAsync(RecordKey, "colour")),
            HashOfOthers => ("blue", await Database.HashGetAsync(RecordKey, "@")),
            List => ("blue", await Database.ListGetByIndexAsync(RecordKey, 0)),
            _ => (text, await Database.StringGetAsync(RecordKey)),
        };
        Assert.Equal(expected, actual);
    }
}
