using Coordination.PostgreSql.Stores;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;

namespace Coordination.PostgreSql.Tests.Transactions;

/// <summary>What rows and notifications say is read by the next release as well.</summary>
public sealed class LockTextTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);
    private static readonly LockOwner Ada = new("ada-1-x", 1);
    private static readonly LockOwner Bob = new("bob-2-y", 7);

    private static readonly LockState Full = new()
    {
        Capacity = LockCapacity.ReaderWriter,
        LastToken = 12,
        Grants =
        [
            new LockGrant { Owner = Ada, FencingToken = 11, Since = Now, RenewedAt = Now, LastsUntil = Now.AddSeconds(15), IsClaimed = true, Entries = [3], Notes = [new EntryNote { Entry = 3, Note = "n", Rank = 2 }], Share = LockShare.UpgradeableRead, Series = "daily", Run = "r" },
            new LockGrant { Owner = Bob, FencingToken = 12, Since = Now, RenewedAt = Now, LastsUntil = Now.AddSeconds(2), IsReleased = true, Share = LockShare.UpgradeOf(Ada) },
        ],
        Waiters = [new QueuedWaiter { Owner = Bob, Entry = 4, Since = Now, AliveUntil = Now.AddSeconds(18), Share = LockShare.Read, Note = "w", Rank = 1 }],
        Revoked = [new RevokedGrant { FencingToken = 9, Until = Now.AddSeconds(5) }],
        Occurrences = [new LastOccurrence { Series = "daily", Time = 30, Run = "r", IsFinished = true, Earlier = [new EarlierOccurrence { Time = 20 }], Floor = 10, ForgottenAt = Now.AddDays(1) }],
    };

    /// <summary>Never change what is written here: rows of the release before have it.</summary>
    private const string FullText = """
        {"capacity":"readerWriter","grants":[{"token":11,"since":1728000000000000,"claimed":true,"entries":[3],"notes":[{"entry":3,"note":"n","rank":2}],"share":"upgradeable","series":"daily","run":"r"},{"token":12,"since":1728000000000000,"released":true,"share":"upgrade:ada-1-x/1"}],"waiters":[{"owner":"bob-2-y/7","entry":4,"since":1728000000000000,"alive":1728000018000000,"share":"read","note":"w","rank":1}],"revoked":[{"token":9,"until":1728000005000000}],"occurrences":[{"series":"daily","time":30,"run":"r","finished":true,"earlier":[{"time":20}],"floor":10,"forget":1728086400000000}]}
        """;

    [Fact]
    [Promise("G15")]
    public void The_document_of_a_lock_is_written_as_ever() => Assert.Equal(FullText, LockText.Write(Full));

    [Fact]
    [Promise("G15")]
    public void The_document_of_a_lock_is_read_as_ever_with_members_that_are_new()
    {
        var read = LockText.Read("{\"later\":1," + FullText[1..], 12, [.. Full.Grants.Select(GrantColumns.Of)]);
        Assert.Equal(LockText.Write(Full), LockText.Write(read));
        Assert.Equal(Full.Grants.Select(grant => (grant.Owner, grant.LastsUntil, grant.Share)), read.Grants.Select(grant => (grant.Owner, grant.LastsUntil, grant.Share)));
    }

    [Fact]
    public void A_grant_without_columns_was_taken_away() => Assert.Equal([Ada], LockText.Read(FullText, 12, [GrantColumns.Of(Full.Grants[0])]).Grants.Select(grant => grant.Owner));

    [Fact]
    public void A_lock_that_nobody_has_is_an_empty_document() => Assert.Equal("{}", LockText.Write(LockState.Empty with { LastToken = 5 }));

    [Fact]
    [Promise("G15")]
    public void Notifications_are_read_as_they_were_written()
    {
        var handover = new LockHandover { Entry = 4, FencingToken = 12, Permit = 0, At = Now, ClaimWindow = TimeSpan.FromSeconds(2), StoreClock = 77 };
        (LockNotification Told, string Text)[] all =
        [
            (LockNotification.Granted("orders", Bob, handover), "granted\norders\nbob-2-y/7\n4\n12\n1728000000000000\n2000000\n77\n0"),
            (LockNotification.Granted("orders", Bob, handover with { Permit = null }), "granted\norders\nbob-2-y/7\n4\n12\n1728000000000000\n2000000\n77\n"),
            (LockNotification.Granted("orders", Bob), "granted\norders\nbob-2-y/7"),
            (LockNotification.AskAgain("orders", Bob, TimeSpan.FromSeconds(1)), "again\norders\nbob-2-y/7\n1000000"),
            (LockNotification.Revoked("orders", Bob, 9), "revoked\norders\nbob-2-y/7\n9"),
            (LockNotification.StepDown("orders", Bob, 9, new StepDownRequest { StayAway = TimeSpan.FromSeconds(1), Successor = "ada-1-x", Call = 7 }), "stepdown\norders\nbob-2-y/7\n9\n1000000\nada-1-x\n7"),
        ];
        foreach (var (told, text) in all)
        {
            Assert.Equal(text, NotificationText.Write(told, clock: 77));
            Assert.True(NotificationText.TryParse(text + "\nlater", out var read));
            Assert.Equal(told, read);
        }

        Assert.False(NotificationText.TryParse("else\norders\nbob-2-y/7", out _));
        Assert.False(NotificationText.TryParse("rubbish", out _));
    }

    [Fact]
    public void A_row_is_kept_for_as_long_as_the_protocol_remembers_its_lock()
    {
        foreach (var state in (LockState[])[LockState.Empty with { LastToken = Moments.ToMicroseconds(Now) }, Full with { LastToken = Moments.ToMicroseconds(Now), Grants = [] }])
        {
            var end = LockLife.ForgetAfter(state);
            Assert.False(LockProtocol.MayForget(state, Now));
            Assert.True(LockProtocol.MayForget(state, end.AddTicks(TimeSpan.TicksPerMicrosecond)));
        }
    }
}
