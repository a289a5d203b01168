using Coordination.Redis.Connections;
using Coordination.Redis.Scripts;
using Coordination.Redis.Stores;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <summary>In which order requests and what undoes them reach the server, whether they go alone or together.</summary>
public sealed class LockCallsTests
{
    /// <summary>As many as are sent alone before others go together.</summary>
    private const int Alone = 4;

    private const string Token = "1767225600000123";
    private static readonly RedisResult Grant = RedisResult.Create((RedisValue)Token);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly RedisKey[] Keys = ["record", "waiters", "alive"];

    private readonly HeldDatabase _server = HeldDatabase.New();
    private readonly LockCalls _calls = new(new LockPartitions(new RedisConnection(() => throw new NotSupportedException(), NullLogger.Instance)), RedisScript.Joined, LockKeys.WithQueue);

    /// <summary>When a request is written whose caller may have left.</summary>
    public enum Moment
    {
        /// <summary>With others.</summary>
        Joined,

        /// <summary>With others, to a server that did not know the script.</summary>
        JoinedByText,

        /// <summary>By itself, after it was left to the script for one lock.</summary>
        AfterJoining,

        /// <summary>By itself, after a wait, as for the connection.</summary>
        Late,

        /// <summary>As that, to a server that did not know the script.</summary>
        ByText,

        /// <summary>As that, to a server that is moving the queue of the lock.</summary>
        WithoutQueue,
    }

    public static MatrixTheoryData<Moment, bool> Moments => new(Enum.GetValues<Moment>(), [false, true]);

    private static RedisServerException Unknown => new(RedisErrorKind.Unknown, CommandFlags.None, "NOSCRIPT No matching script. Please use EVAL.");

    [Fact]
    [Failure("F30")]
    [Promise("G6", "G8")]
    public async Task Of_joined_requests_that_are_sent_again_those_that_were_cancelled_stay_away()
    {
        var alone = await OccupyAsync();
        using var cancellation = new CancellationTokenSource();
        var left = AcquireAsync("left", cancellation.Token);
        var stays = AcquireAsync("stays", CancellationToken.None);
        alone[0].Reply.SetResult(Grant);
        var joined = await SentAsync(script => script.IsJoined);
        Assert.True(joined.Has("left") && joined.Has("stays"));

        await cancellation.CancelAsync();
        joined.Reply.SetException(Unknown);

        var again = await SentAsync(script => script is { IsJoined: true, ByText: true });
        Assert.True(again.Has("stays"));
        Assert.False(again.Has("left"));
        again.Reply.SetResult(RedisResult.Create([Grant]));
        Assert.Equal(Token, (string?)await stays.WaitAsync(Patience, TestContext.Current.CancellationToken));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Single(_server.Sent, script => script.Has("left"));
    }

    [Fact]
    [Failure("F30")]
    [Promise("G6", "G8")]
    public async Task Nothing_is_sent_again_where_all_joined_requests_were_cancelled()
    {
        var alone = await OccupyAsync();
        using var cancellation = new CancellationTokenSource();
        var left = AcquireAsync("left", cancellation.Token);
        alone[0].Reply.SetResult(Grant);
        var joined = await SentAsync(script => script.IsJoined);

        await cancellation.CancelAsync();
        joined.Reply.SetException(Unknown);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(Alone + 1, _server.Sent.Count);

        // And the next one goes at once.
        var next = AcquireAsync("next", CancellationToken.None);
        (await SentAsync(script => script.Has("next"))).Reply.SetResult(Grant);
        Assert.Equal(Token, (string?)await next.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Requests_go_together_over_the_connection_of_the_newest()
    {
        var alone = await OccupyAsync();
        var replacement = HeldDatabase.New();
        _ = AcquireAsync("older", CancellationToken.None);
        _ = _calls.RunAsync(RedisScript.Acquire, replacement.Database, Keys, ["newer", ""], mayJoin: true, isLate: false, CancellationToken.None).AsTask();
        alone[0].Reply.SetResult(Grant);

        await Eventually.IsTrueAsync(() => replacement.Sent.Any(script => script.Has("older") && script.Has("newer")), Patience);
    }

    /// <summary>As when the connection is lost while many wait: a group that fails at once lets the next one go, and so on.</summary>
    [Fact]
    public async Task Groups_that_fail_at_once_one_after_another_take_no_more_stack()
    {
        var alone = await OccupyAsync();
        var depths = new List<int>();
        _server.Sending = _ =>
        {
            depths.Add(new System.Diagnostics.StackTrace().FrameCount);
            throw new RedisException("away");
        };
        var calls = Enumerable.Range(0, 3_200).Select(i => AcquireAsync($"waits-{i}", CancellationToken.None)).ToList();
        alone[0].Reply.SetResult(Grant);

        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<RedisException>(() => call.WaitAsync(Patience, TestContext.Current.CancellationToken));
        }

        Assert.InRange(depths.Max() - depths[0], 0, 50);
    }

    /// <summary>A grant that comes after its undo would stand for a lease, with nobody who has it.</summary>
    [Theory]
    [MemberData(nameof(Moments))]
    [Promise("G6", "G8")]
    public async Task A_request_whose_caller_leaves_is_sent_before_its_undo_or_not_at_all(Moment moment, bool undoMayJoin)
    {
        using var cancellation = new CancellationTokenSource();
        var isJoined = moment is Moment.Joined or Moment.JoinedByText or Moment.AfterJoining;
        var alone = isJoined ? await OccupyAsync() : [];
        _server.Sending = script =>
        {
            if (!script.Has("left") || MomentOf(script, isJoined) != moment)
            {
                return;
            }

            // It has been looked at and is not written yet.
            _server.Sending = null;
            cancellation.Cancel();
            var undo = new Thread(() =>
            {
                _ = _calls.RunAsync(RedisScript.Release, _server.Database, Keys, ["undo", ""], undoMayJoin, isLate: !undoMayJoin, CancellationToken.None).AsTask();

                // Those that wait go together with the end of another.
                alone.ElementAtOrDefault(1)?.Reply.SetResult(Grant);
            });
            undo.Start();
            Assert.True(SpinWait.SpinUntil(() => undo.ThreadState.HasFlag(ThreadState.WaitSleepJoin) || _server.Sent.Any(sent => sent.Has("undo")), Patience));
        };

        var request = AcquireAsync("left", cancellation.Token, isLate: !isJoined);
        if (isJoined)
        {
            alone[0].Reply.SetResult(Grant);
        }

        if (moment is not (Moment.Joined or Moment.Late))
        {
            var first = await SentAsync(script => script.Has("left"));
            switch (moment)
            {
                case Moment.AfterJoining:
                    first.Reply.SetResult(RedisResult.Create([RedisResult.Create(RedisValue.Null)]));
                    break;
                case Moment.WithoutQueue:
                    first.Reply.SetException(new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, "TRYAGAIN Multiple keys request during rehashing of slot"));
                    break;
                default:
                    first.Reply.SetException(Unknown);
                    break;
            }
        }

        await SentAsync(script => script.Has("undo"));
        var sent = _server.Sent;
        Assert.True(sent.Index().Last(each => each.Item.Has("left")).Index < sent.Index().Last(each => each.Item.Has("undo")).Index);
        Assert.Null(_server.Sending);
        Assert.False(request.IsCompletedSuccessfully);
    }

    private static Moment MomentOf(HeldDatabase.Script script, bool isJoined) => script switch
    {
        { IsJoined: true, ByText: false } => Moment.Joined,
        { IsJoined: true } => Moment.JoinedByText,
        { ByText: true } => Moment.ByText,
        { KeyCount: 1 } => Moment.WithoutQueue,
        _ => isJoined ? Moment.AfterJoining : Moment.Late,
    };

    /// <summary>As many requests under way as make others wait for the next one.</summary>
    private async Task<HeldDatabase.Script[]> OccupyAsync()
    {
        for (var i = 0; i < Alone; i++)
        {
            _ = AcquireAsync($"alone-{i}", CancellationToken.None);
        }

        await Eventually.IsTrueAsync(() => _server.Sent.Count == Alone, Patience);
        return [.. _server.Sent];
    }

    private Task<RedisResult> AcquireAsync(string grant, CancellationToken cancellationToken, bool isLate = false) =>
        _calls.RunAsync(RedisScript.Acquire, _server.Database, Keys, [grant, ""], mayJoin: true, isLate, cancellationToken).AsTask();

    private async Task<HeldDatabase.Script> SentAsync(Func<HeldDatabase.Script, bool> isIt)
    {
        HeldDatabase.Script? found = null;
        await Eventually.IsTrueAsync(() => (found = _server.Sent.FirstOrDefault(isIt)) is not null, Patience);
        return found!;
    }
}
